/* A clean stop that loses nothing (model/takeover.md, Q), as a model for spin. model/run.py runs it; how it is written
   is said in ownership.pml.

   Actors 0 and 1 send to each other, over sockets (what is pushed dies with either process) or lanes (it outlives
   both). Both are to stop, 0 first, as it has started last. The coordinator asks, records what leavers say and what
   exits leave, and may die between any two steps. Time passes only when nothing else can move: who is prompt is never
   late. How Drained is asked for again, and how a record is known by the next coordinator, is in takeover.pml. */

#ifndef LANES
#define LANES 0             /* 1: messages go over lanes */
#endif
#ifndef SENDS_0
#define SENDS_0 1           /* what actor 0 sends */
#endif
#ifndef SENDS_1
#define SENDS_1 1
#endif
#define MESSAGES 2          /* at most, each way */
#ifndef DRAIN
#define DRAIN 1             /* 0: what waits in the inbox is refused */
#endif
#ifndef CRASHES
#define CRASHES 1           /* of actors */
#endif
#ifndef FREEZES
#define FREEZES 1
#endif
#ifndef SUCCESSORS
#define SUCCESSORS 1        /* how often the coordinator dies */
#endif
#ifndef LEFT_OUT
#define LEFT_OUT 0
#endif
byte left_out = LEFT_OUT;
#define STOP_UNSAID           (left_out ==  1)  /* the first is asked before the rows of all say it */
#define STOP_UNCOMMITTED      (left_out ==  2)  /* a row counts although those of others do not say it yet */
#define STOP_UNREPEATED       (left_out ==  3)  /* the next coordinator does not ask again */
#define WAVES_FORGOTTEN       (left_out ==  4)  /* ... asks all at once */
#define UNASKED_KILLED        (left_out ==  5)  /* ... goes on with force, also for those that were never asked */
#define NAMED_BY_THE_LEAVER   (left_out ==  6)  /* who leaves names what has not been taken of it */
#define NAMED_AT_EXIT         (left_out ==  7)  /* ... the coordinator does, before the others have drained */
#define UNAWAITED             (left_out ==  8)  /* who leaves does not wait until its messages are taken */
#define LETTERS_IN_MEMORY     (left_out ==  9)  /* Leave is answered, and recorded with the exit */
#define LOST_UNNAMED          (left_out == 10)  /* what of a dead one never came is not named */
#define NAMED_AGAIN           (left_out == 11)  /* ... is named with all that has been named before */
#define RECORDED_UNMARKED     (left_out == 12)  /* what has been named is noted first, then recorded */
#define HANDLED_THEN_COUNTED  (left_out == 13)  /* a message is counted as taken when it has been handled */
#define TAKEN_AND_DROPPED     (left_out == 14)  /* what a stopping actor does not handle it does not name either */
#define TAKES_AFTER_LEAVE     (left_out == 15)  /* ... goes on taking when it has said Leave */
#define LEAVES_UNANSWERED     (left_out == 16)  /* ... does not wait until the coordinator has answered that */
#define LOOKED_THEN_COUNTED   (left_out == 17)  /* a sender looks at the receiver's life, then counts what it sends */
#define FORCE_BEFORE_END      (left_out == 18)  /* force begins when those that wait for others give that up */

#define PROMISE(condition, story) if :: !(condition) -> printf(story); assert(false) :: else fi
#define NONE 9

mtype = { UNKNOWN, HANDLED, REFUSED, NAMED, HELD };         /* a message; refused: its receiver has yet to name it */
mtype = { RUNS, FINISHES, LEAVES, HAS_LEFT };               /* an actor */
mtype = { READY, SETTLING, GONE };                          /* its row */
mtype = { IDLE, SAY_SECOND, COMMIT, SAY_LATE, JOURNAL, ANSWER, TAKE_LIFE, RECORD, MARK,
          RECORD_LOST, MARK_LOST };
#define NOW 0
#define ALL_ASKED 1         /* every wave has been asked */
#define LAST_WORDS 2        /* who waits for others leaves */
#define FORCE 3

/* ---- in shared memory; of the messages to actor x: */
byte sent[2], taken[2], marked[2];  /* counts in the vitals; marked: how many are accounted for */
byte pushed[2], arrived[2];         /* how many have really been sent, and have come to the inbox */
mtype standing[2] = READY;
byte life[2] = 1;
bool is_to_stop[2];                 /* the row says until when */
bool is_committed;                  /* the header: the rows of all say so */
bool has_said[2];                   /* the journal: what it said in Leave */

/* ---- the actors' processes */
bool alive[2], frozen[2];
byte sends[2];                      /* what it sends: 0, is counted: 1, and the other's life looked at: 2 */
mtype phase[2] = RUNS;
byte hand[2] = NONE;
bool in_hand[2];                    /* handled, not counted yet, by a mutant */
bool is_told[2], leave_said[2], leave_answered[2];

/* ---- the coordinator's memory */
bool coordinates = true;
mtype step = IDLE;
byte working = NONE, upto;
bool asked[2], drained[2], heard_leave[2], waits[2];
byte stage = NOW;
bool is_stopping;
bool is_next;                       /* it has taken over */

/* ---- what has happened */
mtype became[4] = UNKNOWN;
bool wants = true, was_asked;       /* the stop; somebody was asked to */
bool is_over, wakes, is_late_crash, was_killed[2], gave_up[2];
byte messages[2];
byte crashes = CRASHES, freezes = FREEZES, successors = SUCCESSORS;
byte i, whose, first, behind;
bool may_be_lost;

#define MESSAGE(to, number) (2 * (to) + (number))
#define OTHER(x) (1 - (x))
#define MOVES(x) (alive[x] && !frozen[x])
#define HAS_COME(x) (LANES -> pushed[x] : arrived[x])
#define IS_LATE(x) (stage >= LAST_WORDS)
#define BECOMES(what, fate) \
  PROMISE(became[what] == UNKNOWN || became[what] == REFUSED && fate == NAMED, \
          "violated: a message comes to two ends\n"); became[what] = fate

inline die(x) {
  alive[x] = false; hand[x] = NONE; sends[x] = 0; is_told[x] = false;
  leave_said[x] = false; leave_answered[x] = false;
  for (i : 0 .. MESSAGES - 1) {
    /* what it had in its hand, or had refused and could not name; who exits by itself has neither */
    if
    :: was_killed[x] && i < taken[x] && (became[MESSAGE(x, i)] == UNKNOWN ||
       became[MESSAGE(x, i)] == REFUSED && !(heard_leave[x] && LETTERS_IN_MEMORY)) ->
       became[MESSAGE(x, i)] = HELD
    :: else
    fi
  }
  i = 0
}

#define ACTOR_STEPS(x) \
  /* it sends: counts, looks at the life, pushes */ \
  :: d_step { MOVES(x) && (phase[x] == RUNS || phase[x] == FINISHES) && sends[x] == 0 && life[OTHER(x)] != 0 && \
       messages[x] > 0 -> \
       messages[x]--; \
       if :: LOOKED_THEN_COUNTED -> sends[x] = 2 :: else -> sent[OTHER(x)]++; sends[x] = 1 fi } \
  :: d_step { MOVES(x) && sends[x] == 1 -> \
       if :: life[OTHER(x)] == 0 -> sent[OTHER(x)]--; sends[x] = 0 :: else -> sends[x] = 2 fi } \
  :: d_step { MOVES(x) && sends[x] == 2 -> \
       if :: LOOKED_THEN_COUNTED -> sent[OTHER(x)]++ :: else fi; \
       pushed[OTHER(x)]++; sends[x] = 0; printf("actor %d: has sent message %d\n", x, pushed[OTHER(x)] - 1) } \
  /* it takes what has arrived */ \
  :: d_step { MOVES(x) && hand[x] == NONE && (phase[x] != HAS_LEFT || TAKES_AFTER_LEAVE) && \
       taken[x] < HAS_COME(x) -> \
       hand[x] = taken[x]; if :: !HANDLED_THEN_COUNTED -> taken[x]++ :: else fi } \
  :: d_step { MOVES(x) && hand[x] != NONE && !in_hand[x] -> \
       if \
       :: phase[x] == RUNS || phase[x] == FINISHES && DRAIN -> BECOMES(MESSAGE(x, hand[x]), HANDLED); \
            printf("actor %d: handles message %d\n", x, hand[x]) \
       :: else -> if :: !TAKEN_AND_DROPPED && phase[x] != HAS_LEFT -> \
            BECOMES(MESSAGE(x, hand[x]), REFUSED) :: else fi; printf("actor %d: refuses message %d\n", x, hand[x]) \
       fi; \
       if :: HANDLED_THEN_COUNTED -> in_hand[x] = true :: else -> hand[x] = NONE fi } \
  :: d_step { MOVES(x) && in_hand[x] -> in_hand[x] = false; taken[x]++; hand[x] = NONE } \
  /* it stops */ \
  :: d_step { MOVES(x) && is_told[x] && phase[x] == RUNS -> \
       phase[x] = FINISHES; printf("actor %d: is told to stop\n", x) } \
  :: d_step { MOVES(x) && phase[x] == FINISHES && hand[x] == NONE && sends[x] == 0 && \
       taken[x] == HAS_COME(x) -> phase[x] = LEAVES } \
  :: d_step { MOVES(x) && phase[x] == LEAVES && hand[x] == NONE && taken[x] == HAS_COME(x) && \
              (LANES || UNAWAITED || taken[OTHER(x)] >= sent[OTHER(x)] || life[OTHER(x)] == 0 || IS_LATE(x)) -> \
       phase[x] = HAS_LEFT; gave_up[x] = IS_LATE(x); printf("actor %d: has stopped\n", x); \
       if \
       :: NAMED_BY_THE_LEAVER -> \
          for (i : 0 .. MESSAGES - 1) { \
            if :: i >= taken[OTHER(x)] && i < sent[OTHER(x)] -> BECOMES(MESSAGE(OTHER(x), i), NAMED) :: else fi \
          } \
          i = 0; marked[OTHER(x)] = sent[OTHER(x)] \
       :: else \
       fi } \
  :: d_step { MOVES(x) && phase[x] == HAS_LEFT && hand[x] == NONE && coordinates && !leave_said[x] && \
       !leave_answered[x] -> leave_said[x] = true } \
  :: d_step { MOVES(x) && phase[x] == HAS_LEFT && hand[x] == NONE && \
       (leave_answered[x] || LEAVES_UNANSWERED && leave_said[x]) -> printf("actor %d: exits\n", x); die(x) } \
  /* it is asked to drain the other */ \
  :: d_step { MOVES(x) && coordinates && waits[OTHER(x)] && !drained[OTHER(x)] && hand[x] == NONE && \
       phase[x] != HAS_LEFT && taken[x] == HAS_COME(x) -> \
       drained[OTHER(x)] = true; printf("actor %d: Drained\n", x) } \
  :: d_step { alive[x] && crashes > 0 -> crashes--; was_killed[x] = true; printf("actor %d: dies\n", x); die(x) } \
  :: d_step { alive[x] && freezes > 0 -> freezes--; frozen[x] = true; printf("actor %d: is frozen\n", x) } \
  :: d_step { alive[x] && frozen[x] && wakes && stage == LAST_WORDS -> \
       frozen[x] = false; wakes = false; printf("actor %d: wakes\n", x) }

/* what was pushed comes to the other's inbox, if both processes live */
#define NETWORK_STEP(x) \
  :: d_step { !LANES && alive[x] && alive[OTHER(x)] && arrived[x] < pushed[x] -> arrived[x]++ }

proctype Actors() {
end:
  do
  ACTOR_STEPS(0)
  ACTOR_STEPS(1)
  NETWORK_STEP(0)
  NETWORK_STEP(1)
  od
}

/* ---- the coordinator */
#define CAN_BEGIN (coordinates && step == IDLE)
#define WORKS (coordinates && step != IDLE)
#define MAY_ASK(x) (x == 0 || standing[0] == GONE || !alive[0] && standing[0] != READY || stage >= ALL_ASKED || \
  WAVES_FORGOTTEN && is_next)

inline name_those() {               /* of the messages to `whose`, from number `first` to the one before `behind` */
  for (i : 0 .. MESSAGES - 1) {
    if
    :: i >= first && i < behind ->
       BECOMES(MESSAGE(whose, i), NAMED); printf("coordinator: names message %d to %d\n", i, whose);
       PROMISE(may_be_lost, "violated: a message is lost for which nobody has waited\n")
    :: else
    fi
  }
  i = 0; whose = 0; first = 0; behind = 0; may_be_lost = false
}
#define NAME_THOSE(receiver, number, is_blameless) \
  whose = receiver; first = number; may_be_lost = is_blameless; \
  behind = (RECORDED_UNMARKED && step == MARK -> marked[receiver] : sent[receiver]); name_those()

#define FROM(to) (marked[to] > taken[to] && !NAMED_AGAIN -> marked[to] : taken[to])

#define ROW_STEPS(x) \
  /* the ladder */ \
  :: d_step { CAN_BEGIN && is_to_stop[x] && (is_committed || STOP_UNCOMMITTED && !is_stopping) && alive[x] && \
       !asked[x] && MAY_ASK(x) && !(STOP_UNREPEATED && is_next) -> \
       asked[x] = true; is_told[x] = true; was_asked = true; printf("coordinator: asks %d to stop\n", x); \
       PROMISE(x == 0 || !alive[0] || stage >= ALL_ASKED, "violated: one is stopped that another relies on\n") } \
  :: d_step { CAN_BEGIN && is_to_stop[x] && is_committed && alive[x] && \
       stage >= (FORCE_BEFORE_END -> LAST_WORDS : FORCE) -> \
       printf("coordinator: kills %d\n", x); \
       PROMISE(frozen[x], "violated: one is killed that would have stopped in time\n"); \
       was_killed[x] = true; die(x) } \
  /* Leave */ \
  :: d_step { CAN_BEGIN && leave_said[x] && !leave_answered[x] -> \
       working = x; step = (LETTERS_IN_MEMORY -> ANSWER : JOURNAL); heard_leave[x] = true } \
  /* an exit */ \
  :: d_step { CAN_BEGIN && !alive[x] && standing[x] != GONE && !waits[x] -> \
       standing[x] = SETTLING; working = x; step = TAKE_LIFE } \
  :: d_step { CAN_BEGIN && waits[x] && (drained[x] || standing[OTHER(x)] == GONE || standing[OTHER(x)] == SETTLING && \
       waits[OTHER(x)]) -> \
       working = x; step = (LOST_UNNAMED -> MARK_LOST : RECORD_LOST); upto = sent[OTHER(x)] }

proctype Coordinator() {
end:
  do
  /* somebody wants all to stop, and asks again when the coordinator is another one */
  :: d_step { CAN_BEGIN && wants && !is_stopping && !is_committed ->
       is_stopping = true;
       if
       :: STOP_UNSAID -> asked[0] = true; is_told[0] = alive[0]; was_asked = true; step = SAY_LATE
       :: else -> is_to_stop[0] = true; step = SAY_SECOND
       fi;
       printf("coordinator: all are to stop\n") }
  :: d_step { WORKS && step == SAY_SECOND -> is_to_stop[1] = true; step = COMMIT }
  :: d_step { WORKS && step == SAY_LATE -> is_to_stop[0] = true; is_to_stop[1] = true; step = COMMIT }
  :: d_step { WORKS && step == COMMIT -> is_committed = true; step = IDLE }
  :: d_step { wants && successors > 0 -> wants = false; printf("actor 2: wants nothing any more, it has died\n") }

  ROW_STEPS(0)
  ROW_STEPS(1)

  :: d_step { WORKS && step == JOURNAL ->
       has_said[working] = true; printf("coordinator: records what %d has left\n", working);
       for (i : 0 .. MESSAGES - 1) {
         if :: became[MESSAGE(working, i)] == REFUSED -> became[MESSAGE(working, i)] = NAMED :: else fi
       }
       i = 0; step = ANSWER }
  :: d_step { WORKS && step == ANSWER ->
       leave_answered[working] = alive[working]; leave_said[working] = false; working = NONE; step = IDLE }

  :: d_step { WORKS && step == TAKE_LIFE -> life[working] = 0; step = RECORD }
  /* unread by the dead one; and by a mutant what is unread of it */
  :: d_step { WORKS && step == RECORD ->
       if
       :: heard_leave[working] && LETTERS_IN_MEMORY ->
          for (i : 0 .. MESSAGES - 1) {
            if :: became[MESSAGE(working, i)] == REFUSED -> became[MESSAGE(working, i)] = NAMED :: else fi
          }
          i = 0
       :: else
       fi;
       if
       :: RECORDED_UNMARKED -> upto = FROM(working); marked[working] = sent[working]
       :: else -> NAME_THOSE(working, FROM(working), true); upto = sent[working]
       fi;
       if
       :: NAMED_AT_EXIT ->
          NAME_THOSE(OTHER(working), FROM(OTHER(working)), true); marked[OTHER(working)] = sent[OTHER(working)]
       :: else
       fi;
       step = MARK }
  :: d_step { WORKS && step == MARK ->
       if :: RECORDED_UNMARKED -> NAME_THOSE(working, upto, true) :: else -> marked[working] = upto fi;
       upto = 0; waits[working] = true; working = NONE; step = IDLE; printf("coordinator: an exit is recorded\n") }
  /* The other has drained, or ended: what of the dead one never came. */
  :: d_step { WORKS && step == RECORD_LOST ->
       NAME_THOSE(OTHER(working), FROM(OTHER(working)),
                  was_killed[working] || gave_up[working] || life[OTHER(working)] == 0);
       step = MARK_LOST }
  :: d_step { WORKS && step == MARK_LOST ->
       marked[OTHER(working)] = upto; upto = 0; waits[working] = false; standing[working] = GONE;
       printf("coordinator: %d is settled\n", working); working = NONE; step = IDLE }

  /* It may die where nothing is half recorded: that, and how a record is found again, is in takeover.pml. Time that
     has passed is gone, but whoever takes over asks first, and gives some time. */
  :: d_step { coordinates && successors > 0 && (is_late_crash -> stage > NOW : stage == NOW) &&
              (RECORDED_UNMARKED || step != MARK) && step != MARK_LOST ->
       successors--; coordinates = false; step = IDLE; working = NONE; upto = 0;
       for (i : 0 .. 1) {
         asked[i] = false; drained[i] = false; waits[i] = false; heard_leave[i] = false; leave_said[i] = false;
         if :: phase[i] == RUNS -> is_told[i] = false :: else fi
       }
       i = 0; printf("coordinator: dies\n") }
  :: d_step { !coordinates ->
       coordinates = true; is_next = true; is_stopping = false;
       if :: !is_committed && !STOP_UNCOMMITTED -> is_to_stop[0] = false; is_to_stop[1] = false :: else fi;
       if :: UNASKED_KILLED && stage >= ALL_ASKED -> stage = FORCE :: stage != FORCE && !UNASKED_KILLED ->
       stage = NOW :: else fi;
       is_late_crash = false; printf("coordinator: the next one takes over\n") }
  od
}

proctype Fate() {
end:
  do
  :: d_step { crashes + freezes > 0 || successors > 0 && !is_late_crash || messages[0] + messages[1] > 0 ->
       crashes = 0; freezes = 0; messages[0] = 0; messages[1] = 0;
       if :: !is_late_crash -> successors = 0 :: else fi;
       printf("fate: from here on nothing goes wrong\n") }
  od
}

#define IS_HELD_UP(x) (alive[x] && frozen[x])

/* Nothing can move: time passes, or all is over. */
proctype Watch() {
end:
  do
  :: timeout ->
     d_step {
       if
       :: (alive[0] || alive[1]) && stage < FORCE -> stage++; printf("watch: time passes\n")
       :: else ->
          printf("watch: nothing moves any more\n");
          PROMISE(!alive[0] && !alive[1] || !wants && !was_asked, "violated: a stop does not end\n");
          PROMISE((alive[0] || standing[0] == GONE || IS_HELD_UP(1)) &&
          (alive[1] || standing[1] == GONE || IS_HELD_UP(0)), "violated: I8, a death is never settled\n");
          for (i : 0 .. 2 * MESSAGES - 1) {
            PROMISE((i % MESSAGES) >= pushed[i / MESSAGES] || IS_HELD_UP(0) || IS_HELD_UP(1) ||
            became[MESSAGE(i / MESSAGES, i % MESSAGES)] != UNKNOWN &&
            became[MESSAGE(i / MESSAGES, i % MESSAGES)] != REFUSED,
                    "violated: a message is lost without a word\n")
          }
          i = 0;
          is_over = true
       fi
     };
     if :: is_over -> break :: else fi
  od
}

init {
  c_code { if (getenv("BATON_LEFT_OUT")) now.left_out = atoi(getenv("BATON_LEFT_OUT")); };
  d_step { alive[0] = true; alive[1] = true; messages[0] = SENDS_0; messages[1] = SENDS_1 }
  if :: is_late_crash = true :: skip fi;
  if :: wakes = true :: skip fi;
  atomic { run Actors(); run Coordinator(); run Fate(); run Watch() }
}
