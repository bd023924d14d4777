import argparse
from core.train import command
p=argparse.ArgumentParser(); command.add_arguments(p)
import sys
command.run(p.parse_args(sys.argv[2:]))
