"""A passenger and a taxi talk over a channel, until an event says that the taxi is there; afterwards each of them tells
the talk from his point of view.

    baton run duplex_channel.py [MILLISECONDS]        or        python3 duplex_channel.py [MILLISECONDS]

A leg of the ride takes MILLISECONDS (100 by default; a second in the story). There the passenger listened until the
event was set, and could miss what had been said just before.
"""
import sys

import baton
from baton import sync

with baton.session() as session:
    keeper = sync.Keeper(session)
    taxi_end, passenger_end = keeper.channel("talk")
    arrived = keeper.event("arrived")
    taxi = session.spawn("taxi", args=sys.argv[1:])
    passenger = session.spawn("passenger")

    ride = [taxi.request("Drive", end=taxi_end.address, arrived=arrived.address),
            passenger.request("CallTaxi", end=passenger_end.address, arrived=arrived.address)]
    stories = [one.get(timeout=60) for one in ride]

start = stories[1][0].time
print(f"{'Taxi POV':<54}User POV")
print((f"{'Time':<11}{'Action':<8}{'Message':<35}" * 2).rstrip())
for row in zip(*stories):
    cells = [f"{(memory.time - start).total_seconds():+.3f} s   {memory.action:<8}{memory.message:<35}"
             for memory in row]
    print("".join(cells).rstrip())
