"""The hello scenario in Python: starts a greeter, asks it twice, and leaves nothing behind.

    baton run hello.py        or        python3 hello.py
"""
import baton

with baton.session() as session:
    greeter = session.spawn("greeter")
    print(greeter.ask("Greet", name="Ada"))
    print(greeter.ask("Greet", name="Grace"))
