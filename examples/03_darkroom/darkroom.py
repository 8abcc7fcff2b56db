"""The darkroom from Python: the photo is a NumPy array over the very memory that the C++ actor works in."""
import baton
import numpy

with baton.session() as session:
    darkroom = session.spawn("darkroom")

    photo = session.create_array((480, 640), numpy.float32)
    with photo.view() as pixels:
        pixels[:] = 0.25
        pixels[100, 200] = 0.5

    loan = photo.lend()
    before = darkroom.ask("Meter", photo=loan.lease())
    photo = loan.reclaim()

    photo = darkroom.ask("Develop", photo=photo, gain=2.0)
    with photo.view() as pixels:
        print(f"peak {before.peak:g} before, {pixels[100, 200]:g} at the same place after")
