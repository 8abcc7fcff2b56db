/* Two actors that ask each other while the rings between them are full, as a model for spin: who waits for room must
   go on taking answers. model/run.py runs it; how it is written is said in ownership.pml.

   Each of the two has a ring for its commands to the other, and a ring for its answers to the other's commands. A
   command that finds no room makes its sender wait until there is some, or until its deadline, and then the send is
   `overloaded`. An answer that finds no room waits without a deadline; the asker is alive and is not frozen here. In
   neither wait an actor takes commands, in both it takes answers. */

#ifndef ASKS
#define ASKS 4              /* of each */
#endif
#ifndef ROOM
#define ROOM 1              /* in each ring */
#endif
#ifndef LEFT_OUT
#define LEFT_OUT 0
#endif
byte left_out = LEFT_OUT;
#define DEAF_WHILE_ANSWERING (left_out ==  1)  /* who waits for room for an answer does not take answers */
#define NO_DEADLINE          (left_out ==  2)  /* who waits for room for a command waits for ever */

#define PROMISE(condition, story) if :: !(condition) -> printf(story); assert(false) :: else fi

mtype = { IDLE, ASKS_IT, ANSWERS_IT };

#define OTHER(x) (1 - (x))
byte commands[2], answers[2];   /* in the ring that this actor writes */
mtype doing[2] = IDLE;
byte asked[2], open[2];         /* asks begun, and those without an answer */

proctype Actor(byte me) {
end:
  do
  :: d_step { doing[me] == IDLE && asked[me] < ASKS -> asked[me]++; doing[me] = ASKS_IT }
  :: d_step { doing[me] == ASKS_IT && commands[me] < ROOM ->
       commands[me]++; open[me]++; doing[me] = IDLE; printf("actor %d: asks\n", me) }
  :: d_step { doing[me] == ASKS_IT && commands[me] == ROOM && !NO_DEADLINE ->
       doing[me] = IDLE; printf("actor %d: overloaded\n", me) }
  :: d_step { doing[me] == IDLE && commands[OTHER(me)] > 0 ->
       commands[OTHER(me)]--; doing[me] = ANSWERS_IT; printf("actor %d: takes a command\n", me) }
  :: d_step { doing[me] == ANSWERS_IT && answers[me] < ROOM ->
       answers[me]++; doing[me] = IDLE; printf("actor %d: answers\n", me) }
  :: d_step { answers[OTHER(me)] > 0 && !(DEAF_WHILE_ANSWERING && doing[me] == ANSWERS_IT) ->
       answers[OTHER(me)]--; open[me]--; printf("actor %d: takes an answer\n", me) }
  od
}

/* Nothing can happen any more. */
proctype Watch() {
end:
  timeout ->
    d_step {
      printf("watch: nothing moves any more\n");
      PROMISE(doing[0] == IDLE && doing[1] == IDLE, "violated: two actors wait for each other's room\n");
      PROMISE(open[0] == 0 && open[1] == 0, "violated: an ask has no answer\n")
    }
}

init {
  c_code { if (getenv("BATON_LEFT_OUT")) now.left_out = atoi(getenv("BATON_LEFT_OUT")); };
  atomic { run Actor(0); run Actor(1); run Watch() }
}
