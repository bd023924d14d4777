"""The command line: options in, files and one line out. ``core.__main__`` lists the verbs."""
