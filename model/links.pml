/* Links: actors that end together (model/takeover.md, L), as a model for spin. model/run.py runs it; how it is written
   is said in ownership.pml.

   Somebody asks for a link of actors 0 and 1, then for one of 2 and 1, and may ask to undo the first, naming its actors
   the other way round. Actors may die at any step, also before they are linked; the number of one that was settled may
   be given to another life. The coordinator may die between any two steps; whoever asks then asks again. What a
   settling consists of besides links is in takeover.pml, how an actor is made to end in stop.pml. */

#ifndef CRASHES
#define CRASHES 2           /* of actors */
#endif
#ifndef SUCCESSORS
#define SUCCESSORS 2        /* how often the coordinator dies */
#endif
#ifndef RESTARTS
#define RESTARTS 2          /* how often a number is given again */
#endif
#ifndef UNLINKS
#define UNLINKS 1
#endif
#ifndef LEFT_OUT
#define LEFT_OUT 0
#endif
byte left_out = LEFT_OUT;
#define LINKED_UNRECORDED   (left_out ==  1)  /* the request is answered, then the row says it */
#define UNLINKED_UNRECORDED (left_out == 2)  /* ... an undone link as well */
#define OWN_ROW_ONLY       (left_out ==  3)  /* partners are those that the row of the dead one names */
#define OTHER_ROWS_ONLY    (left_out ==  4)  /* ... those whose rows name the dead one */
#define UNLINKED_ONE_WAY   (left_out ==  5)  /* a link is undone in the row of the actor that is named first */
#define PARTNER_BY_NUMBER  (left_out ==  6)  /* a row names numbers, not lives */
#define LINKS_KEPT         (left_out ==  7)  /* a number is given again with the links of its last life */
#define DEAD_IS_LINKED     (left_out ==  8)  /* a link to one whose life is over is recorded like any other */
#define FREED_FIRST        (left_out ==  9)  /* the dead one's row is free before its partners are to stop */
#define SETTLING_LEFT      (left_out == 10)  /* the next coordinator frees a settling row without a look at its links */
#define PARTNERS_IN_MEMORY (left_out == 11)  /* that partners are to stop is not recorded */

#define PROMISE(condition, story) if :: !(condition) -> printf(story); assert(false) :: else fi
#define NOBODY 9

mtype = { LIVES, SETTLING, FREE };                       /* what a row says */
mtype = { IDLE, RECORD, CLEAR_OTHER, ANSWER, LATE, PARTNERS, FREES };  /* where the coordinator is */
mtype = { LINK_0_1, LINK_2_1, UNLINK_1_0, CONTENT };     /* what is asked for */

/* ---- in shared memory */
mtype standing[3] = LIVES;
byte life[3] = 1;
byte named[9];              /* 3 x + y: the life of y that the row of x names; 0: none */
byte is_to_stop[3];         /* 1 + the partner that has ended */

/* ---- the actors' processes */
bool alive[3] = true;
bool is_told[3];
bool has_ended[3];          /* its first life */

/* ---- the coordinator's memory */
bool coordinates = true;
mtype step = IDLE;
byte working = NOBODY, at;
byte from_memory[3];        /* is_to_stop, by a mutant */
bool is_asked[3];           /* to stop */

/* ---- the one that asks */
mtype asked = LINK_0_1;
bool is_linked_0_1, is_linked_2_1, may_be_undone, is_undone;
byte crashes = CRASHES, successors = SUCCESSORS, restarts = RESTARTS, unlinks = UNLINKS;
byte i;

#define FIRST (asked == LINK_2_1 -> 2 : (asked == LINK_0_1 -> 0 : 1))
#define SECOND (asked == UNLINK_1_0 -> 0 : 1)
#define IS_OVER(x) (life[x] != 1 || standing[x] != LIVES)   /* the life that is asked for */
#define NAMES(x, y) (named[3 * (x) + (y)] != 0 && (PARTNER_BY_NUMBER || named[3 * (x) + (y)] == life[y]))
#define ARE_PARTNERS(x, y) (NAMES(x, y) && !OTHER_ROWS_ONLY || NAMES(y, x) && !OWN_ROW_ONLY)
#define MUST_STOP(x) (is_to_stop[x] + from_memory[x])

inline is_to_end(x, because) {
  if
  :: MUST_STOP(x) != 0 || standing[x] != LIVES
  :: else ->
     if :: PARTNERS_IN_MEMORY -> from_memory[x] = 1 + because :: else -> is_to_stop[x] = 1 + because fi;
     printf("coordinator: actor %d is to stop, for %d has ended\n", x, because)
  fi
}

inline end_actor(x) {
  alive[x] = false; is_told[x] = false;
  if :: life[x] == 1 -> has_ended[x] = true :: else fi
}

inline die_at_any_step(x) {
  d_step { alive[x] && crashes > 0 -> crashes--; end_actor(x); printf("actor %d: dies\n", x) }
}

proctype Actors() {
end:
  do
  :: die_at_any_step(0)
  :: die_at_any_step(1)
  :: die_at_any_step(2)
  :: d_step { alive[0] && is_told[0] -> end_actor(0); printf("actor 0: stops\n") }
  :: d_step { alive[1] && is_told[1] -> end_actor(1); printf("actor 1: stops\n") }
  :: d_step { alive[2] && is_told[2] -> end_actor(2); printf("actor 2: stops\n") }
  od
}

/* ---- the coordinator ---- */

inline begin_link() {
  if
  :: (IS_OVER(FIRST) || IS_OVER(SECOND)) && !DEAD_IS_LINKED ->
     if :: !IS_OVER(FIRST) -> is_to_end(FIRST, SECOND) :: else fi;
     if :: !IS_OVER(SECOND) -> is_to_end(SECOND, FIRST) :: else fi;
     step = ANSWER
  :: else -> step = (LINKED_UNRECORDED -> ANSWER : RECORD)
  fi
}

inline record_link() {
  if :: !IS_OVER(FIRST) || DEAD_IS_LINKED -> named[3 * FIRST + SECOND] = 1 :: else fi;
  printf("coordinator: actors %d and %d are linked\n", FIRST, SECOND)
}

inline answer() {
  if
  :: asked == LINK_0_1 -> is_linked_0_1 = true; asked = LINK_2_1
  :: asked == LINK_2_1 -> is_linked_2_1 = true; asked = CONTENT
  :: asked == UNLINK_1_0 -> asked = CONTENT; is_undone = alive[0] && alive[1] && MUST_STOP(0) + MUST_STOP(1) == 0
  fi;
  printf("coordinator: answers\n"); step = IDLE
}

inline look_at_partner(y) {
  if
  :: y != working && ARE_PARTNERS(working, y) -> is_to_end(y, working)
  :: else
  fi
}

inline tell(x) {
  d_step { coordinates && alive[x] && standing[x] == LIVES && MUST_STOP(x) != 0 && !is_asked[x] ->
    PROMISE(life[x] == 1, "violated: another life is made to end\n");
    PROMISE(!(is_undone && x + MUST_STOP(x) - 1 == 1), "violated: an undone link ends an actor\n");
    PROMISE(MUST_STOP(x) - 1 == 1 || x == 1, "violated: an actor ends another one that it is not linked with\n");
    is_asked[x] = true; is_told[x] = true; printf("coordinator: asks actor %d to stop\n", x) }
}

inline settle(x) {
  d_step { coordinates && step == IDLE && !alive[x] && standing[x] == LIVES ->
    standing[x] = SETTLING; working = x; at = 0; step = (FREED_FIRST -> FREES : PARTNERS);
    printf("coordinator: settles actor %d\n", x) }
}

inline settle_again(x) {
  d_step { coordinates && step == IDLE && standing[x] == SETTLING ->
    working = x; at = 0; step = (SETTLING_LEFT || FREED_FIRST -> FREES : PARTNERS);
    printf("coordinator: settles actor %d again\n", x) }
}

inline give_again(x) {
  d_step { coordinates && step == IDLE && standing[x] == FREE && life[x] == 1 && restarts > 0 ->
    restarts--; life[x] = 2; is_to_stop[x] = 0; from_memory[x] = 0; is_asked[x] = false; is_told[x] = false;
    if
    :: LINKS_KEPT
    :: else -> named[3 * x] = 0; named[3 * x + 1] = 0; named[3 * x + 2] = 0
    fi;
    alive[x] = true; standing[x] = LIVES; printf("coordinator: gives number %d to another life\n", x) }
}

proctype Coordinator() {
end:
  do
  :: d_step { coordinates && step == IDLE && (asked == LINK_0_1 || asked == LINK_2_1) -> begin_link() }
  :: d_step { coordinates && step == RECORD && asked != UNLINK_1_0 -> record_link(); step = ANSWER }
  :: d_step { coordinates && step == ANSWER && !LINKED_UNRECORDED && !UNLINKED_UNRECORDED -> answer() }
  :: d_step { coordinates && step == ANSWER && LINKED_UNRECORDED && asked == UNLINK_1_0 -> answer() }
  :: d_step { coordinates && step == ANSWER && UNLINKED_UNRECORDED && asked != UNLINK_1_0 -> answer() }
  /* by mutants: which request it was is remembered until its row is written */
  :: d_step { coordinates && step == ANSWER && LINKED_UNRECORDED && asked != UNLINK_1_0 ->
       working = FIRST; answer(); step = LATE }
  :: d_step { coordinates && step == LATE && LINKED_UNRECORDED ->
       if :: !IS_OVER(working) && !IS_OVER(1) -> named[3 * working + 1] = 1 :: else fi; working = NOBODY; step = IDLE }
  :: d_step { coordinates && step == ANSWER && UNLINKED_UNRECORDED && asked == UNLINK_1_0 -> answer(); step = LATE }
  :: d_step { coordinates && step == LATE && UNLINKED_UNRECORDED -> named[1] = 0; named[3] = 0; step = IDLE }

  :: d_step { coordinates && step == IDLE && asked == UNLINK_1_0 -> step = RECORD }
  :: d_step { coordinates && step == RECORD && asked == UNLINK_1_0 ->
       if :: UNLINKED_UNRECORDED -> step = ANSWER
       :: else -> named[3] = 0; step = (UNLINKED_ONE_WAY -> ANSWER : CLEAR_OTHER) fi }
  :: d_step { coordinates && step == CLEAR_OTHER ->
       if :: life[0] == 1 -> named[1] = 0 :: else fi;
       printf("coordinator: actors 0 and 1 are not linked any more\n"); step = ANSWER }

  :: settle(0)
  :: settle(1)
  :: settle(2)
  :: settle_again(0)
  :: settle_again(1)
  :: settle_again(2)
  :: d_step { coordinates && step == PARTNERS && at < 3 -> look_at_partner(at); at++ }
  :: d_step { coordinates && step == PARTNERS && at == 3 -> at = 0; step = (standing[working] == FREE -> IDLE : FREES) }
  :: d_step { coordinates && step == FREES ->
       standing[working] = FREE; is_to_stop[working] = 0; printf("coordinator: number %d is free\n", working);
       if :: FREED_FIRST -> step = PARTNERS :: else -> step = IDLE; working = NOBODY fi }

  :: give_again(0)
  :: give_again(1)
  :: give_again(2)
  :: tell(0)
  :: tell(1)
  :: tell(2)

  /* what it has only in its memory is gone; the next one finds what the rows say */
  :: d_step { coordinates && successors > 0 ->
       successors--; coordinates = false; step = IDLE; working = NOBODY; at = 0;
       for (i : 0 .. 2) { from_memory[i] = 0; is_asked[i] = false };
       i = 0; printf("coordinator: dies\n") }
  :: d_step { !coordinates -> coordinates = true; printf("coordinator: takes over\n") }
  od
}

/* The one that asks may change its mind when both links are there. */
proctype Asker() {
end:
  do
  :: d_step { asked == CONTENT && unlinks > 0 ->
       unlinks--; may_be_undone = true; asked = UNLINK_1_0; printf("asker: undoes the link of 1 and 0\n") }
  od
}

/* Nothing can happen any more. */
proctype Watch() {
end:
  timeout ->
    d_step {
      PROMISE(asked == CONTENT, "violated: a request has no answer\n");
      PROMISE(may_be_undone || has_ended[0] == has_ended[1], "violated: one of two linked actors lives on\n");
      PROMISE(has_ended[2] == has_ended[1], "violated: one of two linked actors lives on\n");
      for (i : 0 .. 2) { PROMISE(!has_ended[i] || life[i] == 2 || standing[i] == FREE, "violated: a death is not settled\n") };
      i = 0
    }
}

init {
  c_code { if (getenv("BATON_LEFT_OUT")) now.left_out = atoi(getenv("BATON_LEFT_OUT")); };
  atomic { run Actors(); run Coordinator(); run Asker(); run Watch() }
}
