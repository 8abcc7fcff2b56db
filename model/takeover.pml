/* A death that is settled by several coordinators one after the other (model/takeover.md, S and K), as a model for
   spin. model/run.py runs it; how it is written is said in ownership.pml.

   Actor 0 gives one segment to actor 1 and sends it plain commands, over a lane; either releases what it has, dies,
   and its number may live again. The coordinator settles the deaths in steps, may die between any two of them, and is
   followed by another one, which knows only what stands in shared memory. What happens between a sender's look at a
   life and its publishing is in lanes.pml: here that is one step. */

#ifndef SENDS
#define SENDS 2             /* commands of actor 0, one of them with the segment */
#endif
#ifndef CRASHES
#define CRASHES 2           /* of the actors */
#endif
#ifndef SUCCESSORS
#define SUCCESSORS 2        /* how often the coordinator dies */
#endif
#ifndef RESTARTS
#define RESTARTS 1
#endif
#ifndef LEFT_OUT
#define LEFT_OUT 0
#endif
byte left_out = LEFT_OUT;
#define SETTLING_UNSAID         (left_out ==  1)  /* a row says only at its end that its actor is being settled */
#define INTENT_CLEARED_FIRST    (left_out ==  2)  /* a dead actor's intent is cleared, then counted */
#define COUNTED_BLINDLY         (left_out ==  3)  /* ... counted whether or not it has been counted already */
#define NO_INTENT_OF_ITS_OWN    (left_out ==  4)  /* the coordinator retires and counts without an intent */
#define OWN_INTENT_UNRESOLVED   (left_out ==  5)  /* the next coordinator does not look at the intent of the last one */
#define BYTES_ADDED             (left_out ==  6)  /* bytes of adopted blocks are added, not counted anew */
#define INTENT_AFTER_WALK       (left_out ==  7)  /* the intent is resolved when the rows have been walked */
#define COUNTS_MOVED            (left_out ==  8)  /* the counts of the dead are moved to the coordinator's row */
#define COUNTS_CLEARED          (left_out ==  9)  /* the counts of a number are cleared when it lives again */
#define RECORDED_AGAIN          (left_out == 10)  /* an exit is recorded without a look at the journal */
#define LANES_BEFORE_JOURNAL    (left_out == 11)  /* lanes are removed before the exit is recorded, with its letters */
#define HEIRS_UNASKED           (left_out == 12)  /* the next coordinator waits for Drained and does not ask for it */
#define FINISHED_WHEN_TOLD      (left_out == 13)  /* it takes a settling for finished when the exit was told */
#define INCARNATIONS_IN_MEMORY  (left_out == 14)  /* which incarnation is next is known to the coordinator alone */
#define NEW_DEATHS_FIRST        (left_out == 15)  /* it settles new deaths before it goes on with the others */
#define LANE_OF_TWO_DEAD        (left_out == 16)  /* a lane between two dead ones is removed by the opener's settling */
#define WAITS_FOR_A_NUMBER      (left_out == 17)  /* Drained is expected of a number, not of the life that was asked */
#define LANE_WITH_ITS_OPENER    (left_out == 18)  /* the lane of a dead opener is removed without waiting for Drained */
#define LIFE_NOT_TAKEN_AGAIN    (left_out == 19)  /* a settling is gone on with behind the life, which may stand */
#define BYTES_NOT_COUNTED       (left_out == 20)  /* the next coordinator does not count its home's bytes */
#define WALKED_UNRECORDED       (left_out == 21)  /* rows are settled before it is recorded what the dead one held */
#define TOLD_UNRECORDED         (left_out == 22)  /* an exit is told before it is recorded */
#define ADOPTED_UNMARKED        (left_out == 23)  /* blocks get another home and are not marked for the dead one */

#define PROMISE(condition, story) if :: !(condition) -> printf(story); assert(false) :: else fi
#define NOBODY 9
#define COORDINATOR 2
#define PLAIN 1
#define GIFT 2

mtype = { OWNED, OFFERED, RETIRED, FREE };                  /* the segment's word */
mtype = { READY, SETTLING, GONE };                          /* what the roster says of a number */
mtype = { UNKNOWN, HANDLED, RETURNED, REPORTED, HELD };     /* what became of a command; held: by one that died */
mtype = { IDLE, LOOK, INTENDED, MADE, COUNTED };            /* what an actor is in the middle of */
mtype = { OWN_INTENT, CLEAR_OWN, OWN_BYTES, GO_ON, SERVE }; /* a take-over */
mtype = { NOTHING, TAKE_LIFE, RESOLVE, CLEAR, WALK, INTEND, CHANGE, COUNT, CLEAR_INTENT, ADOPT, ADD_BYTES, FORGET_BYTES,
          MOVE, MOVED, RECORD, NOTE, REMOVE_LANES, TELL, ASK, UNLINK, FINISH, NO_MEMORY, GIVE_BACK };

/* ---- in shared memory */
mtype phase = OWNED;
byte owner = 0, heir = 0, epoch = 1;
byte home = 0, home_bytes[3], row_bytes = 1;
bool is_marked = false;              /* the block, for actor 0, which was its home */
byte life[2] = 1;
bool intent[3];
byte intent_epoch[3], intent_count[3], released[3];
bool lane;                          /* 0 -> 1, between the first lives */
byte record[SENDS];                 /* what lies in it */
byte written, taken;
mtype standing[2] = READY;          /* the roster */
byte last[2] = 1;
bool is_recorded[2], is_told[2];
byte exits[2];                      /* the journal: how many of each number, and which is the last */
byte last_exit = NOBODY, last_exit_life;
bool recorded[2];                   /* ... that it held the segment */

/* ---- the actors' processes. The anchor's table says of each whether it has exited. */
bool alive[2];
mtype doing[2] = IDLE;
byte sends = SENDS, sent, sent_at = NOBODY;  /* actor 0: the epoch of its offer, and the record that carries it */
byte hand = NOBODY;                 /* actor 1: the record that it is about to handle */
bool drain;                         /* it has been asked to drain 0 */

/* ---- the coordinator's memory */
bool coordinates = true;
mtype taking = SERVE;
byte working = NOBODY;              /* whom it is settling */
mtype step = NOTHING, then_do;
bool to_count, waits[2], resumed[2];
bool has_read;                      /* the lane to 1, before it was removed, by a mutant */
bool held, writer_was_taken;        /* when the rows were looked at */
bool drained;                       /* 1 has answered for 0 */
byte asked_life;                    /* the life of 1 that was asked to */
byte remembered[2] = 1;             /* incarnations, by a mutant */

/* ---- what has happened */
mtype became[SENDS] = UNKNOWN;
bool held_at_death[2], told[2];
byte deaths[2], highest[2] = 1;
byte crashes = CRASHES, restarts = RESTARTS, successors = SUCCESSORS;
byte i;

#define BECOMES(what, fate) \
  PROMISE(became[what] == UNKNOWN, "violated: a command comes to two ends\n"); became[what] = fate
/* A gift that a dying reader had in its hand comes back all the same. */
#define COMES_BACK(what) \
  if :: became[what] == HELD -> became[what] = UNKNOWN :: else fi; BECOMES(what, RETURNED)
#define BECOMES_HELD(what) if :: became[what] == UNKNOWN -> became[what] = HELD :: else fi
#define OWNS(x) (phase == OWNED && owner == x)
#define FIRST(x) (alive[x] && last[x] == 1)

/* T9 by its owner: intent, transition, count, no intent any more */
#define RELEASE_STEPS(x) \
  :: d_step { alive[x] && doing[x] == IDLE && OWNS(x) && (x == 1 || sent == 0) && life[x] != 0 -> \
       intent_epoch[x] = epoch; intent_count[x] = released[x]; intent[x] = true; doing[x] = INTENDED } \
  :: d_step { alive[x] && doing[x] == INTENDED -> \
       phase = RETIRED; epoch++; doing[x] = MADE; printf("actor %d: T9\n", x) } \
  :: d_step { alive[x] && doing[x] == MADE -> released[x]++; doing[x] = COUNTED } \
  :: d_step { alive[x] && doing[x] == COUNTED -> \
       intent[x] = false; doing[x] = IDLE; printf("actor %d: has counted\n", x) }

inline publish(what) {
  record[written] = what; written++; lane = true; sends--;
  printf("actor 0: publishes record %d, of kind %d\n", written - 1, what)
}

proctype Giver() {
end:
  do
  :: d_step { FIRST(0) && doing[0] == IDLE && sends > 0 && OWNS(0) && sent == 0 && life[0] != 0 ->
       phase = OFFERED; heir = 1; epoch++; sent = epoch; doing[0] = LOOK; printf("actor 0: T2\n") }
  :: d_step { FIRST(0) && doing[0] == LOOK ->
       if
       :: life[1] == 1 -> sent_at = written; publish(GIFT)
       :: else ->
          if :: phase == OFFERED && owner == 0 && epoch == sent -> phase = OWNED; heir = 0; epoch++ :: else fi;
          sent = 0; sends = 0; printf("actor 0: 1 is gone, T4\n")
       fi;
       doing[0] = IDLE }
  :: d_step { FIRST(0) && doing[0] == IDLE && sends > 0 ->
       if
       :: life[1] == 1 -> publish(PLAIN)
       :: else -> sends = 0
       fi }
  :: d_step { FIRST(0) && doing[0] == IDLE && sent != 0 && epoch != sent ->
       if
       :: OWNS(0) && epoch == sent + 1 -> COMES_BACK(sent_at); printf("actor 0: its gift has come back\n")
       :: else
       fi;
       sent = 0 }
  RELEASE_STEPS(0)
  :: d_step { alive[0] && crashes > 0 ->
       crashes--; alive[0] = false; deaths[0]++; held_at_death[0] = OWNS(0); doing[0] = IDLE;
       if :: sent != 0 && OWNS(0) && epoch == sent + 1 && sent_at != NOBODY -> BECOMES_HELD(sent_at) :: else fi;
       sent = 0; sent_at = (phase == OFFERED -> sent_at : NOBODY); printf("actor 0: dies\n") }
  od
}

proctype Taker() {
end:
  do
  :: d_step { FIRST(1) && lane && hand == NOBODY && taken < written ->
       hand = taken; taken++; printf("actor 1: takes record %d\n", hand) }
  :: d_step { FIRST(1) && hand != NOBODY && doing[1] == IDLE ->
       if
       :: record[hand] == PLAIN -> BECOMES(hand, HANDLED)
       :: record[hand] == GIFT && phase == OFFERED && heir == 1 ->
          phase = OWNED; owner = 1; heir = 0; epoch++; BECOMES(hand, HANDLED); printf("actor 1: T3\n")
       :: else -> PROMISE(false, "violated: a gift that has reached a living heir cannot be accepted\n")
       fi;
       hand = NOBODY }
  :: d_step { alive[1] && drain && (last[1] > 1 || hand == NOBODY && (!lane || taken == written)) ->
       drain = false; drained = true; printf("actor 1: Drained\n") }
  RELEASE_STEPS(1)
  :: d_step { alive[1] && crashes > 0 ->
       crashes--; alive[1] = false; deaths[1]++; held_at_death[1] = OWNS(1); doing[1] = IDLE; drain = false;
       if :: hand != NOBODY -> BECOMES_HELD(hand) :: else fi;
       hand = NOBODY; printf("actor 1: dies\n") }
  od
}

/* ---- the coordinator */
#define IS_FREE (working == NOBODY && step == NOTHING)
#define WORKS (coordinates && working != NOBODY)
#define IS_LATE (!alive[0] || doing[0] == LOOK)      /* the exception of I6: an offer made too late */
#define NAMES(x) (OWNS(x) || phase == OFFERED && (owner == x || heir == x && !IS_LATE))
#define COUNT_IF_MADE(n) (intent[n] && epoch != intent_epoch[n] && (released[n] == intent_count[n] || COUNTED_BLINDLY))
#define OTHER(x) (1 - (x))

inline begin(x) {
  working = x; step = TAKE_LIFE;
  if :: !SETTLING_UNSAID -> standing[x] = SETTLING :: else fi
}

#define AFTER_INTENT (WALKED_UNRECORDED || TOLD_UNRECORDED -> WALK : (LANES_BEFORE_JOURNAL -> REMOVE_LANES : RECORD))
#define AFTER_ADOPTION (WALKED_UNRECORDED -> RECORD : (LANES_BEFORE_JOURNAL -> TELL : REMOVE_LANES))
#define AFTER_WALK (INTENT_AFTER_WALK -> RESOLVE : ADOPT)
/* The row lies in a block of actor 0, which is marked for actor 1. */
#define IS_SEEN(x) ((x) == 1 || home == (x) || is_marked)

inline walk(x) {                    /* one row; what is counted goes through INTEND */
  step = AFTER_WALK;
  if
  :: !IS_SEEN(x)
  :: else ->
  if
  :: OWNS(x) -> then_do = AFTER_WALK; step = INTEND
  :: phase == OFFERED && heir == x && life[owner] != 0 ->
     phase = OWNED; heir = 0; epoch++; printf("coordinator: T5\n");
     if :: !alive[0] -> held_at_death[0] = true; if :: sent_at != NOBODY -> BECOMES_HELD(sent_at) :: else fi :: else fi
  :: phase == OFFERED && (heir == x || owner == x && life[heir] == 0) ->
     then_do = AFTER_WALK; step = INTEND
  :: phase == OFFERED && owner == x && life[heir] != 0 -> waits[x] = true
  :: else
  fi fi
}

inline look_at_rows(x) {            /* nothing of this can change before they are walked */
  held = OWNS(x); writer_was_taken = (life[0] != 1)
}

inline record_exit(x) {
  if :: INTENT_AFTER_WALK -> look_at_rows(x) :: else fi;
  if
  :: is_recorded[x] || last_exit == x && last_exit_life == last[x] && !RECORDED_AGAIN
  :: else ->
     exits[x]++; last_exit = x; last_exit_life = last[x]; recorded[x] = held;
     printf("coordinator: records the exit of %d\n", x);
     if
     :: x == 1 && last[1] == 1 && (lane || has_read) ->
        i = taken;
        do
        :: i < written ->
           if
           :: record[i] == PLAIN || writer_was_taken -> BECOMES(i, REPORTED); printf("coordinator: dead letter %d\n", i)
           :: else
           fi;
           i++
        :: else -> break
        od;
        i = 0
     :: else
     fi
  fi
}

inline finish(x) {
  PROMISE(!NAMES(x), "violated: I6, a row names one that has been settled\n");
  standing[x] = GONE; waits[x] = false; printf("coordinator: %d is settled\n", x);
  if :: x == 0 -> drained = false; asked_life = 0 :: else fi;
  working = NOBODY; step = NOTHING
}

#define RESUME_STEP(x) \
  :: d_step { coordinates && taking == GO_ON && IS_FREE && standing[x] == SETTLING && !resumed[x] && \
              (!NEW_DEATHS_FIRST || alive[OTHER(x)] || standing[OTHER(x)] != READY) -> \
       resumed[x] = true; \
       if \
       :: FINISHED_WHEN_TOLD && is_told[x] -> finish(x) \
       :: HEIRS_UNASKED && is_told[x] -> waits[x] = true; asked_life = 1 \
       :: else -> \
          working = x; step = (LIFE_NOT_TAKEN_AGAIN -> RESOLVE : TAKE_LIFE); \
          printf("coordinator: goes on to settle %d\n", x) \
       fi }

#define DEATH_STEPS(x) \
  RESUME_STEP(x) \
  :: d_step { coordinates && (taking == SERVE || NEW_DEATHS_FIRST && taking == GO_ON) && IS_FREE && \
              !alive[x] && standing[x] == READY -> \
       begin(x); printf("coordinator: begins to settle %d\n", x) } \
  :: d_step { coordinates && taking == SERVE && IS_FREE && standing[x] == SETTLING && waits[x] && \
              (drained || (WAITS_FOR_A_NUMBER -> life[1] == 0 : life[1] != asked_life)) -> \
       working = x; step = UNLINK; \
       if :: phase == OFFERED && owner == x && heir == 1 -> then_do = UNLINK; step = INTEND :: else fi } \
  :: d_step { coordinates && taking == SERVE && IS_FREE && standing[x] == GONE && restarts > 0 -> \
       restarts--; \
       last[x] = (INCARNATIONS_IN_MEMORY -> remembered[x] : last[x]) + 1; remembered[x] = last[x]; \
       printf("coordinator: number %d lives again, its life is %d\n", x, last[x]); \
       PROMISE(last[x] > highest[x], "violated: an incarnation is given twice\n"); \
       highest[x] = last[x]; is_recorded[x] = false; is_told[x] = false; standing[x] = READY; intent[x] = false; \
       if :: COUNTS_CLEARED -> released[x] = 0 :: else fi; \
       life[x] = last[x]; alive[x] = true }

proctype Coordinator() {
end:
  do
  DEATH_STEPS(0)
  DEATH_STEPS(1)

  /* S2 */
  :: d_step { WORKS && step == TAKE_LIFE -> life[working] = 0; step = (INTENT_AFTER_WALK -> RECORD : RESOLVE) }
  :: d_step { WORKS && step == RESOLVE ->
       to_count = COUNT_IF_MADE(working); step = CLEAR;
       if
       :: INTENT_CLEARED_FIRST -> intent[working] = false
       :: else -> released[working] = released[working] + to_count
       fi }
  :: d_step { WORKS && step == CLEAR ->
       if :: INTENT_CLEARED_FIRST -> released[working] = released[working] + to_count :: else ->
       intent[working] = false fi;
       to_count = false; look_at_rows(working);
       step = (COUNTS_MOVED -> MOVE : (INTENT_AFTER_WALK -> ADOPT : AFTER_INTENT));
       printf("coordinator: the intent of %d is resolved\n", working) }
  :: d_step { WORKS && step == MOVE -> released[COORDINATOR] = released[COORDINATOR] + released[working]; step = MOVED }
  :: d_step { WORKS && step == MOVED -> released[working] = 0; step = AFTER_INTENT }

  /* S3 */
  :: d_step { WORKS && step == WALK -> walk(working) }
  :: d_step { WORKS && step == INTEND ->
       intent_epoch[COORDINATOR] = epoch; intent_count[COORDINATOR] = released[COORDINATOR];
       intent[COORDINATOR] = !NO_INTENT_OF_ITS_OWN; step = CHANGE }
  :: d_step { WORKS && step == CHANGE ->
       PROMISE(phase != OFFERED || hand == NOBODY || record[hand] != GIFT,
               "violated: T6 of a gift that has reached a living heir\n");
       phase = RETIRED; heir = 0; epoch++; step = COUNT; printf("coordinator: T9 or T6\n") }
  :: d_step { WORKS && step == COUNT -> released[COORDINATOR]++; step = CLEAR_INTENT }
  :: d_step { WORKS && step == CLEAR_INTENT -> intent[COORDINATOR] = false; step = then_do }

  /* S4 */
  :: d_step { WORKS && step == ADOPT ->
       step = ADD_BYTES;
       if
       :: home == working -> is_marked = !ADOPTED_UNMARKED; home = COORDINATOR; printf("coordinator: is the home of the block\n")
       :: else -> if :: BYTES_ADDED && home_bytes[working] == 0 -> step = AFTER_ADOPTION :: else fi
       fi }
  :: d_step { WORKS && step == ADD_BYTES ->
       if
       :: BYTES_ADDED -> home_bytes[COORDINATOR] = home_bytes[COORDINATOR] + home_bytes[working]
       :: else -> home_bytes[COORDINATOR] = (home == COORDINATOR -> row_bytes : 0)
       fi;
       step = FORGET_BYTES }
  :: d_step { WORKS && step == FORGET_BYTES ->
       home_bytes[working] = 0; step = AFTER_ADOPTION }

  /* S5 to S8 */
  :: d_step { WORKS && step == RECORD -> record_exit(working); step = NOTE }
  :: d_step { WORKS && step == NOTE ->
       is_recorded[working] = true;
       if
       :: WALKED_UNRECORDED -> step = REMOVE_LANES
       :: TOLD_UNRECORDED -> step = ASK
       :: else -> step = WALK
       fi }
  :: d_step { WORKS && step == REMOVE_LANES ->
       if :: working == 1 && last[1] == 1 || LANE_WITH_ITS_OPENER ->
       has_read = lane && (LANES_BEFORE_JOURNAL || TOLD_UNRECORDED); lane = false :: else fi;
       step = (LANES_BEFORE_JOURNAL -> RECORD : TELL) }
  :: d_step { WORKS && step == TELL ->
       is_told[working] = true; standing[working] = SETTLING;
       if
       :: TOLD_UNRECORDED && !is_recorded[working] -> told[working] = held; step = RECORD
       :: else -> told[working] = recorded[working]; step = ASK
       fi; printf("coordinator: tells that %d has exited\n", working) }
  :: d_step { WORKS && step == ASK ->
       if :: working == 0 && last[0] == 1 && lane && life[1] == 1 -> waits[0] = true :: else fi;
       if :: LANE_OF_TWO_DEAD && working == 0 && life[1] == 0 -> lane = false :: else fi;
       if
       :: waits[working] ->
          asked_life = life[1];
          if :: alive[1] -> drain = true :: else fi;
          printf("coordinator: asks 1 to drain 0\n");
          working = NOBODY; step = NOTHING
       :: else -> finish(working)
       fi }

  /* S9, S10 */
  :: d_step { WORKS && step == UNLINK -> if :: drained -> lane = false :: else fi; step = FINISH }
  :: d_step { WORKS && step == FINISH -> finish(working) }

  /* T10, as the home of the block */
  :: d_step { coordinates && taking == SERVE && IS_FREE && home == COORDINATOR && phase == RETIRED ->
       phase = FREE; epoch++; step = NO_MEMORY; printf("coordinator: T10\n") }
  :: d_step { coordinates && taking == SERVE && IS_FREE && home == COORDINATOR && phase == FREE && row_bytes > 0 ->
       step = NO_MEMORY }
  :: d_step { coordinates && step == NO_MEMORY -> row_bytes = 0; step = GIVE_BACK }
  :: d_step { coordinates && step == GIVE_BACK ->
       home_bytes[COORDINATOR]--; step = NOTHING; printf("coordinator: gives the bytes back\n") }

  /* K: what the last one knew by itself is gone, and so is what was said to it */
  :: d_step { coordinates && successors > 0 ->
       successors--; coordinates = false; working = NOBODY; step = NOTHING; then_do = 0; to_count = false;
       waits[0] = false; waits[1] = false; resumed[0] = false; resumed[1] = false; writer_was_taken = false;
       held = false; has_read = false;
       drain = false; drained = false; asked_life = 0;
       if :: standing[0] != READY -> remembered[0] = 0 :: else fi;
       if :: standing[1] != READY -> remembered[1] = 0 :: else fi;
       taking = OWN_INTENT; printf("coordinator: dies\n") }
  :: d_step { !coordinates -> coordinates = true; printf("coordinator: the next one takes over\n") }
  :: d_step { coordinates && taking == OWN_INTENT ->
       if :: COUNT_IF_MADE(COORDINATOR) && !OWN_INTENT_UNRESOLVED -> released[COORDINATOR]++ :: else fi;
       taking = CLEAR_OWN }
  :: d_step { coordinates && taking == CLEAR_OWN -> intent[COORDINATOR] = false; taking = OWN_BYTES }
  :: d_step { coordinates && taking == OWN_BYTES ->
       if :: !BYTES_NOT_COUNTED -> home_bytes[COORDINATOR] = (home == COORDINATOR -> row_bytes : 0) :: else fi;
       taking = GO_ON }
  :: d_step { coordinates && taking == GO_ON && IS_FREE &&
              (standing[0] != SETTLING || resumed[0]) && (standing[1] != SETTLING || resumed[1]) -> taking = SERVE }
  od
}

proctype Fate() {
end:
  do
  :: d_step { crashes + restarts + successors > 0 ->
       crashes = 0; restarts = 0; successors = 0; printf("fate: from here on nothing goes wrong\n") }
  od
}

/* Nothing can happen any more. */
proctype Watch() {
end:
  timeout ->
    d_step {
      printf("watch: nothing moves any more\n");
      PROMISE(coordinates && taking == SERVE && IS_FREE, "violated: the coordinator never comes to rest\n");
      for (i : 0 .. 1) {
        PROMISE(alive[i] && standing[i] == READY && life[i] == last[i] || !alive[i] && standing[i] == GONE,
                "violated: I8, a death is never settled\n");
        PROMISE(exits[i] == deaths[i], "violated: a death is not recorded once\n");
        PROMISE(recorded[i] == held_at_death[i], "violated: it is not recorded what the dead one held\n");
        PROMISE(told[i] == recorded[i], "violated: another exit is recorded than was told\n")
      }
      PROMISE(phase == (home == COORDINATOR -> FREE : RETIRED),
              "violated: I8, a segment is never retired, or stays so\n");
      PROMISE(released[0] + released[1] + released[2] == 1, "violated: I7, the session does not balance\n");
      PROMISE(home_bytes[0] + home_bytes[1] + home_bytes[2] == row_bytes && home_bytes[home] == row_bytes &&
      row_bytes == (home == COORDINATOR -> 0 : 1), "violated: the bytes of a home are wrong\n");
      for (i : 0 .. SENDS - 1) {
        PROMISE(i >= written || became[i] != UNKNOWN, "violated: a command is lost without a word\n")
      }
    }
}

init {
  c_code { if (getenv("BATON_LEFT_OUT")) now.left_out = atoi(getenv("BATON_LEFT_OUT")); };
  d_step { alive[0] = true; alive[1] = true; home_bytes[0] = 1 }
  atomic { run Giver(); run Taker(); run Coordinator(); run Fate(); run Watch() }
}
