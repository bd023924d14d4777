"""What the Learn view says: the idea in words and equations."""

WHAT_IS_DDIM = """\
<section class="what">
<p>A diffusion network learns one thing: shown x<sub>t</sub>, part picture and part noise, it names the noise ε.
ᾱ<sub>t</sub> says how much is picture: 1 is clean, 0 all noise.</p>
<p>DDPM climbs back through all T levels, adding fresh noise z each time. DDIM saw that the same trained network serves
a family of processes, and jumps from t to any earlier level s:</p>
<div class="equation" role="math" aria-label="x s equals root of alpha bar s, times x hat zero, plus root of
one minus alpha bar s minus sigma squared, times epsilon, plus sigma z">
<span class="term">x<sub>s</sub> =</span>
<span class="term">√<span class="root">ᾱ<sub>s</sub></span> x̂<sub>0</sub></span>
<span class="term">+ √<span class="root">1 − ᾱ<sub>s</sub> − σ<sup>2</sup></span> ε</span>
<span class="term">+ σ z</span></div>
<div class="equation" role="math" aria-label="x hat zero equals x t minus root of one minus alpha bar t times epsilon,
all over root of alpha bar t">
<span class="term">x̂<sub>0</sub> =</span>
<span class="fraction"><span>x<sub>t</sub> − √<span class="root">1 − ᾱ<sub>t</sub></span> ε</span><span>√<span
class="root">ᾱ<sub>t</sub></span></span></span></div>
<div class="equation" role="math" aria-label="sigma squared equals eta squared times one minus alpha bar s over one
minus alpha bar t, times one minus alpha bar t over alpha bar s">
<span class="term">σ<sup>2</sup> = η<sup>2</sup></span>
<span class="fraction"><span>1 − ᾱ<sub>s</sub></span><span>1 − ᾱ<sub>t</sub></span></span>
<span class="tall">(</span><span class="term">1 −</span>
<span class="fraction"><span>ᾱ<sub>t</sub></span><span>ᾱ<sub>s</sub></span></span><span class="tall">)</span></div>
<p>Guess the clean picture, then put back less of the same noise. η&nbsp;=&nbsp;1 with every step is DDPM.
With η&nbsp;=&nbsp;0 only x<sub>T</sub> is random and alone decides the picture; paths are smooth,
so steps can be long.</p>
</section>"""
