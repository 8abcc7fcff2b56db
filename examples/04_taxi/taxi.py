"""A passenger calls a taxi; afterwards each of them tells the talk from his point of view.

    coordinator taxi.py        or        python3 taxi.py
"""
import baton

with baton.session() as session:
    taxi = session.spawn("taxi")
    passenger = session.spawn("passenger")

    passenger.ask("CallTaxi", taxi=taxi, deadline=30)  # answered when the taxi has arrived

    stories = taxi.ask("TellStory"), passenger.ask("TellStory")

start = stories[1][0].time
print(f"{'Taxi POV':<54}User POV")
print((f"{'Time':<11}{'Action':<8}{'Message':<35}" * 2).rstrip())
for row in zip(*stories):
    cells = [f"{(memory.time - start).total_seconds():+.3f} s   {memory.action:<8}{memory.message:<35}" for memory in row]
    print("".join(cells).rstrip())
