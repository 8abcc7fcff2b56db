/* Heirs of a segment (model/takeover.md, H), as a model for spin. model/run.py runs it; how it is written is said in
   ownership.pml, and how a death is settled in takeover.pml: here its steps that do not concern heirs are one.

   Actor 0 owns the segment, names heirs, changes and withdraws them, lends, gives to actor 1, which may give it back,
   and dies at any step. Its will names actor 1, then actor 2; or its own next life, then actor 2. The coordinator
   becomes the owner (T11) and gives it to the first of them that lives (T2, T3); it may die between any two steps. */

#ifndef NEXT
#define NEXT 0              /* 1: the first heir is the next life of number 0 */
#endif
#ifndef WILLS
#define WILLS 2             /* how often heirs are named */
#endif
#ifndef GIFTS
#define GIFTS 1             /* to actor 1 */
#endif
#ifndef LENDS
#define LENDS 1
#endif
#ifndef CRASHES
#define CRASHES 2           /* of actors */
#endif
#ifndef SUCCESSORS
#define SUCCESSORS 1        /* how often the coordinator dies */
#endif
#ifndef RESTARTS
#define RESTARTS 1
#endif
#ifndef REFUSALS
#define REFUSALS 1          /* by an heir */
#endif
#ifndef LEFT_OUT
#define LEFT_OUT 0
#endif
byte left_out = LEFT_OUT;
#define WILL_IN_PLACE         (left_out ==  1)  /* heirs are changed where they stand */
#define WITHDRAWN_FIRST       (left_out ==  2)  /* ... the will is withdrawn while they are changed */
#define WILL_OF_ANOTHER       (left_out ==  3)  /* a will counts whoever has written it */
#define WILL_OF_ANY_EPOCH     (left_out ==  4)  /* ... however old it is */
#define WILL_NOT_STAMPED      (left_out ==  5)  /* its owner does not stamp it anew before it moves the word */
#define OLD_WILL_STAMPED      (left_out ==  6)  /* ... stamps what it named before it gave the segment away, too */
#define EPOCH_TO_THE_LETTER   (left_out ==  7)  /* a will counts only at the very epoch of its stamp */
#define TRANSIT_HAS_NO_HEIR   (left_out ==  8)  /* T6 of what was in transit, whatever the will says */
#define TRANSIT_UNDRAINED     (left_out ==  9)  /* T11 of it before the receiver has drained */
#define FLAG_LATE             (left_out == 10)  /* whether it was being written is noted after T11 */
#define LIST_NOT_BEGUN        (left_out == 11)  /* T11 before it is noted that the list begins with its first */
#define LEASED_INHERITED      (left_out == 12)  /* a lent segment is given on while leases of it live */
#define LEASES_RECALLED       (left_out == 13)  /* T11 makes of lent owned */
#define HEIR_BY_NUMBER        (left_out == 14)  /* whatever life has the number of an heir gets it */
#define INHERIT_UNREPEATED    (left_out == 15)  /* what the last coordinator has offered to an heir is left so */
#define INHERIT_BY_MESSAGE    (left_out == 16)  /* an heir accepts by the message, whatever the word says */
#define RETIRED_UNREPORTED    (left_out == 17)  /* nobody is left: T9, then the report */
#define REPORTED_AGAIN        (left_out == 18)  /* ... reported without a look at the last report */
#define INHERIT_SAID_AGAIN    (left_out == 19)  /* it says it again by the same offer, instead of taking that back */
#define NEXT_GIVEN_UP         (left_out == 20)  /* the next life is passed over when it does not stand yet */

#define PROMISE(condition, story) if :: !(condition) -> printf(story); assert(false) :: else fi
#define NOBODY 9
#define COORDINATOR 3
#define NEXT_LIFE 5         /* as an heir */
#define FIRST_HEIR (NEXT -> NEXT_LIFE : 1)

mtype = { OWNED, OFFERED, LENT, RETIRED };
mtype = { READY, SETTLING, GONE };
mtype = { IDLE, NAME_FIRST, NAME_SECOND, STAMP, GIVE, LEND, RECLAIM, SAY };
mtype = { NOTHING, WALK, NOTE_FLAG, NOTE_LIST, BEQUEATH, FLAG_AFTER, LIST_AFTER, RETIRE, FINISH,
          OFFER, TAKE_BACK, GO_ON, REPORT, END_IT };

/* ---- in shared memory */
mtype phase = OWNED;
byte owner = 0, heir = NOBODY, epoch = 1;
bool leased;                        /* by actor 2 */
byte will = NOBODY, will_by, will_epoch;    /* which place holds it, who wrote it, when it was stamped: one word */
byte first[2], second[2];           /* the places */
bool was_written = true;            /* for the heir: its last owner died while it could write */
byte listed = 2;                    /* how far the list has been gone through; at first left from an earlier will */
byte life[3] = 1, last[3] = 1;
mtype standing[3] = READY;
byte released;
byte reports, report_epoch;         /* the journal: the last report, of which word */

/* ---- the actors */
bool alive[3];
mtype doing = IDLE;                 /* actor 0 */
byte place, name_first, name_second;
bool has_will;                      /* it has named heirs since it got the segment */
byte gift[2], holds;                /* the epoch, in the lanes 0 -> 1 and 1 -> 0; before it is sent */
bool heirs_lane[3];                 /* it has closed the lane of the last coordinator */
byte message[3], hand[3];           /* the epoch that the coordinator has told it */
byte refused[3];                    /* and which it has refused */

/* ---- the coordinator's memory */
bool coordinates = true, serves = true;
byte working = NOBODY;
mtype step = NOTHING;
bool is_drain_awaited[3], resumed[3], is_said, is_flag;
bool no_next_life;                  /* number 0 will not live again */

/* ---- what has happened */
byte true_first = NOBODY, true_second = NOBODY;    /* the will that is complete and of this tenure */
bool is_due, is_due_writing;
byte due_first, due_second, got = NOBODY;
bool declined[3];
byte declined_at[3];
byte wills = WILLS, gifts = GIFTS, lends = LENDS, leases = LENDS, refusals = REFUSALS;
byte crashes = CRASHES, successors = SUCCESSORS, restarts = RESTARTS;
byte i;

#define OWNS(x) (phase == OWNED && owner == x)
#define HAS(x) ((phase == OWNED || phase == LENT) && owner == x)
#define FIRST_LIFE(x) (alive[x] && last[x] == 1)
#define IS_FREE (working == NOBODY && step == NOTHING)
#define CAN_BEGIN (coordinates && serves && IS_FREE)
#define MOVES(to) phase = to; epoch++; \
  PROMISE(to != OWNED && to != OFFERED || !leased || !alive[2], "violated: I2, a lease ends under its reader\n")

/* ---- actor 0 */
inline stamp() {
  if :: will != NOBODY && (has_will || OLD_WILL_STAMPED) && !WILL_NOT_STAMPED -> will_epoch = epoch :: else fi
}

proctype Owner() {
end:
  do
  /* names or changes heirs: the other place, then the stamp, which is one word */
  :: d_step { FIRST_LIFE(0) && doing == IDLE && HAS(0) && wills > 0 ->
       wills--; name_first = (will == NOBODY -> FIRST_HEIR : 2); name_second = (will == NOBODY -> 2 : NOBODY);
       place = (will == 0 && !WILL_IN_PLACE -> 1 : 0);
       if :: WITHDRAWN_FIRST && will != NOBODY -> will = NOBODY; place = 0 :: else fi;
       doing = NAME_FIRST; printf("actor 0: names %d, then %d\n", name_first, name_second) }
  :: d_step { FIRST_LIFE(0) && doing == NAME_FIRST -> first[place] = name_first; doing = NAME_SECOND }
  :: d_step { FIRST_LIFE(0) && doing == NAME_SECOND -> second[place] = name_second; doing = STAMP }
  :: d_step { FIRST_LIFE(0) && doing == STAMP ->
       will = place; will_by = 0; will_epoch = epoch; has_will = true; true_first = name_first; true_second = name_second; doing = IDLE;
       printf("actor 0: its will stands\n") }
  :: d_step { FIRST_LIFE(0) && doing == IDLE && HAS(0) && will != NOBODY && wills > 0 ->
       wills--; will = NOBODY; has_will = false; true_first = NOBODY; true_second = NOBODY; printf("actor 0: withdraws its will\n") }

  /* before it moves the word its will is stamped anew */
  :: d_step { FIRST_LIFE(0) && doing == IDLE && OWNS(0) && gifts > 0 && gift[0] == 0 -> gifts--; stamp(); doing = GIVE }
  :: d_step { FIRST_LIFE(0) && doing == GIVE ->
       MOVES(OFFERED); heir = 1; holds = epoch; doing = SAY; printf("actor 0: T2 to 1, epoch %d\n", epoch) }
  :: d_step { FIRST_LIFE(0) && doing == SAY ->
       if
       :: life[1] == 1 -> gift[0] = holds
       :: else -> if :: phase == OFFERED && owner == 0 && epoch == holds -> MOVES(OWNED); heir = NOBODY :: else fi
       fi;
       holds = 0; doing = IDLE }
  :: d_step { FIRST_LIFE(0) && doing == IDLE && OWNS(0) && lends > 0 -> lends--; stamp(); doing = LEND }
  :: d_step { FIRST_LIFE(0) && doing == LEND -> MOVES(LENT); doing = IDLE; printf("actor 0: T7\n") }
  :: d_step { FIRST_LIFE(0) && doing == IDLE && phase == LENT && owner == 0 && !leased -> stamp(); doing = RECLAIM }
  :: d_step { FIRST_LIFE(0) && doing == RECLAIM && !leased -> MOVES(OWNED); doing = IDLE; printf("actor 0: T8\n") }
  :: d_step { FIRST_LIFE(0) && doing == RECLAIM && leased -> doing = IDLE }
  /* its gift comes back from 1, as another tenure */
  :: d_step { FIRST_LIFE(0) && doing == IDLE && gift[1] != 0 ->
       if
       :: phase == OFFERED && owner == 1 && heir == 0 && epoch == gift[1] ->
          phase = OWNED; owner = 0; heir = NOBODY; epoch++; has_will = false; printf("actor 0: T3 from 1\n")
       :: else
       fi;
       gift[1] = 0 }
  :: d_step { FIRST_LIFE(0) && doing == IDLE && HAS(0) -> MOVES(RETIRED); released++; printf("actor 0: T9\n") }
  :: d_step { FIRST_LIFE(0) && crashes > 0 ->
       crashes--; alive[0] = false; doing = IDLE; holds = 0; has_will = false; place = 0; name_first = 0; name_second = 0;
       printf("actor 0: dies\n");
       if
       :: (HAS(0) || phase == OFFERED && owner == 0) ->
          is_due = true; due_first = true_first; due_second = true_second; is_due_writing = OWNS(0)
       :: else
       fi }
  od
}

/* ---- actors 1 and 2, and the next life of 0 */
inline inherits(me) {
  PROMISE(phase == OFFERED && owner == COORDINATOR && heir == me, "violated: one inherits what is not offered to it\n");
  owner = me; phase = OWNED; heir = NOBODY; epoch++; printf("heir %d: T3\n", me);
  PROMISE(got == NOBODY, "violated: two inherit\n");
  PROMISE(declined_at[me] != hand[me], "violated: an heir accepts what it has refused\n");
  PROMISE(is_due, "violated: one inherits what nobody has left\n");
  PROMISE(me == due_first || me == due_second || NEXT && me == 0 && last[0] == 2,
          "violated: one inherits that is not named\n");
  PROMISE(me == 0 || last[me] == 1, "violated: another life inherits than was named\n");
  PROMISE(!leased || !alive[2], "violated: I2, a lease ends under its reader\n");
  PROMISE(was_written == is_due_writing, "violated: the heir is not told whether it was being written\n");
  got = me; true_first = NOBODY; true_second = NOBODY
}

#define HEIR_STEPS(me) \
  /* it finds the next coordinator: what the last one said and it has not taken is lost */ \
  :: d_step { alive[me] && !heirs_lane[me] && coordinates && serves -> \
       heirs_lane[me] = true; message[me] = 0; refused[me] = 0 } \
  :: d_step { alive[me] && message[me] != 0 && hand[me] == 0 -> hand[me] = message[me]; message[me] = 0 } \
  :: d_step { alive[me] && hand[me] != 0 -> \
       if \
       :: INHERIT_BY_MESSAGE || phase == OFFERED && owner == COORDINATOR && heir == me && epoch == hand[me] -> \
            inherits(me) \
       :: else \
       fi; \
       hand[me] = 0 } \
  :: d_step { alive[me] && hand[me] != 0 && refusals > 0 && phase == OFFERED && owner == COORDINATOR && heir == me && \
       epoch == hand[me] -> \
       refusals--; refused[me] = (heirs_lane[me] -> hand[me] : 0); declined[me] = true; declined_at[me] = hand[me]; \
       hand[me] = 0; printf("heir %d: refuses\n", me) } \
  :: d_step { alive[me] && (me != 0 || last[0] == 2) && OWNS(me) && got == me -> \
       MOVES(RETIRED); released++; printf("heir %d: T9\n", me) }

proctype Heirs() {
end:
  do
  HEIR_STEPS(1)
  HEIR_STEPS(2)
#if NEXT
  HEIR_STEPS(0)
#endif
  /* 1 as a receiver: it accepts, and releases it or gives it back */
  :: d_step { FIRST_LIFE(1) && gift[0] != 0 ->
       if
       :: phase == OFFERED && owner == 0 && heir == 1 && epoch == gift[0] ->
          phase = OWNED; owner = 1; heir = NOBODY; epoch++; true_first = NOBODY; true_second = NOBODY; is_due = false;
          printf("actor 1: T3 from 0\n")
       :: else -> PROMISE(false, "violated: a gift that has reached a living heir cannot be accepted\n")
       fi;
       gift[0] = 0 }
  :: d_step { FIRST_LIFE(1) && OWNS(1) && got != 1 -> MOVES(RETIRED); released++; printf("actor 1: T9\n") }
  :: d_step { FIRST_LIFE(1) && OWNS(1) && got != 1 && gifts > 0 && life[0] == 1 ->
       gifts--; MOVES(OFFERED); heir = 0; gift[1] = epoch; printf("actor 1: T2 to 0\n") }
  :: d_step { alive[1] && crashes > 0 ->
       crashes--; alive[1] = false; message[1] = 0; hand[1] = 0; refused[1] = 0; printf("actor 1: dies\n") }
  :: d_step { alive[0] && last[0] == 2 && crashes > 0 ->
       crashes--; alive[0] = false; message[0] = 0; hand[0] = 0; refused[0] = 0; printf("heir 0: dies\n") }
  /* 2 as a reader */
  :: d_step { alive[2] && phase == LENT && owner == 0 && life[0] == 1 && !leased && leases > 0 ->
       leases--; leased = true; printf("actor 2: has a lease\n") }
  :: d_step { alive[2] && leased -> leased = false; printf("actor 2: L4\n") }
  :: d_step { alive[2] && crashes > 0 ->
       crashes--; alive[2] = false; message[2] = 0; hand[2] = 0; refused[2] = 0; printf("actor 2: dies\n") }
  od
}

/* ---- the coordinator */
#define WORKS (coordinates && working != NOBODY)
#define CARRIES_OUT (coordinates && working == NOBODY)
#define IS_WILL_OF(x) (will != NOBODY && (will_by == x || WILL_OF_ANOTHER) && \
  (epoch - will_epoch <= (EPOCH_TO_THE_LETTER -> 0 : 2) || WILL_OF_ANY_EPOCH))
#define ENDS_AT(x) (IS_WILL_OF(x) -> (FLAG_LATE -> NOTE_LIST : NOTE_FLAG) : RETIRE)
#define LIVES_ON(x) (x == COORDINATOR || life[x] != 0)
#define IS_DRAINED(h, x) (life[h] == 0 || h == 1 && gift[0] == 0 || h == 0 && gift[1] == 0 || TRANSIT_UNDRAINED)
#define LIST (listed == 0 -> first[will] : second[will])

inline walk(x) {
  step = FINISH;
  if :: x == 2 -> leased = false :: else fi;
  if
  :: HAS(x) -> step = ENDS_AT(x)
  :: phase == OFFERED && heir == x && LIVES_ON(owner) ->
     MOVES(OWNED); heir = NOBODY; printf("coordinator: T5\n");
     if :: owner == 0 && !alive[0] && last[0] == 1 -> is_due_writing = true :: else fi
  :: phase == OFFERED && heir == x && !LIVES_ON(owner) ->
     step = (TRANSIT_HAS_NO_HEIR -> RETIRE : ENDS_AT(owner))
  :: phase == OFFERED && owner == x && IS_DRAINED(heir, x) -> step = (TRANSIT_HAS_NO_HEIR -> RETIRE : ENDS_AT(x))
  :: phase == OFFERED && owner == x && !IS_DRAINED(heir, x) ->
     is_drain_awaited[x] = true; working = NOBODY; step = NOTHING; printf("coordinator: asks %d to drain %d\n", heir, x)
  :: else
  fi
}

#define DEATH_STEPS(x) \
  :: d_step { coordinates && IS_FREE && !alive[x] && \
       (standing[x] == READY && (serves || !IS_RESUMABLE) || standing[x] == SETTLING && !serves && !resumed[x]) -> \
       standing[x] = SETTLING; resumed[x] = true; life[x] = 0; working = x; step = WALK; \
       printf("coordinator: settles %d\n", x) } \
  :: d_step { CAN_BEGIN && is_drain_awaited[x] && standing[x] == SETTLING && \
       (phase != OFFERED || owner != x || IS_DRAINED(heir, x)) -> \
       is_drain_awaited[x] = false; working = x; step = WALK }
#define IS_RESUMABLE ((standing[0] == SETTLING && !resumed[0]) || (standing[1] == SETTLING && !resumed[1]) || \
  (standing[2] == SETTLING && !resumed[2]))

#define CALL_STEPS(h) \
  :: d_step { CAN_BEGIN && phase == OFFERED && owner == COORDINATOR && heir == h && life[h] != 0 && !is_said && \
       alive[h] && heirs_lane[h] && message[h] == 0 -> \
       message[h] = epoch; is_said = true; printf("coordinator: tells %d\n", h) } \
  :: d_step { CAN_BEGIN && refused[h] != 0 -> \
       if :: phase == OFFERED && owner == COORDINATOR && heir == h && epoch == refused[h] -> step = GO_ON :: else fi; \
       refused[h] = 0 }

proctype Coordinator() {
end:
  do
  DEATH_STEPS(0)
  DEATH_STEPS(1)
  DEATH_STEPS(2)
  :: d_step { WORKS && step == WALK -> walk(working) }
  /* H3: what is to be known is noted, then T11 */
  :: d_step { WORKS && step == NOTE_FLAG ->
       was_written = (phase == OWNED); is_flag = false;
       if :: LIST_NOT_BEGUN -> step = BEQUEATH :: else -> step = NOTE_LIST fi }
  :: d_step { WORKS && step == NOTE_LIST -> listed = 0; step = BEQUEATH }
  :: d_step { WORKS && step == BEQUEATH ->
       is_flag = (phase == OWNED);
       printf("coordinator: T11\n");
       if
       :: phase == LENT && !LEASES_RECALLED -> MOVES(LENT)
       :: else -> MOVES(OWNED)
       fi;
       owner = COORDINATOR; heir = NOBODY;
       step = (FLAG_LATE -> FLAG_AFTER : (LIST_NOT_BEGUN -> LIST_AFTER : FINISH)) }
  :: d_step { WORKS && step == FLAG_AFTER -> was_written = is_flag; is_flag = false; step = FINISH }
  :: d_step { WORKS && step == LIST_AFTER -> listed = 0; step = FINISH }
  :: d_step { WORKS && step == RETIRE ->
       MOVES(RETIRED); heir = NOBODY; released++; step = FINISH; printf("coordinator: T9 or T6\n");
       PROMISE(got != NOBODY || !is_due || due_first == NOBODY, "violated: a segment with heirs is retired\n") }
  :: d_step { WORKS && step == FINISH ->
       PROMISE(!HAS(working) && !(phase == OFFERED && owner == working),
               "violated: I6, a row names one that has been settled\n");
       standing[working] = GONE; printf("coordinator: %d is settled\n", working); working = NOBODY; step = NOTHING;
       is_flag = false }

  /* H5: the coordinator owns it */
  :: d_step { CAN_BEGIN && phase == LENT && owner == COORDINATOR && (!leased || LEASED_INHERITED) ->
       MOVES(OWNED); printf("coordinator: T8\n") }
  :: d_step { CAN_BEGIN && OWNS(COORDINATOR) && listed < 2 ->
       i = LIST;
       if
       :: i == NEXT_LIFE && last[0] == 1 && !no_next_life && !NEXT_GIVEN_UP -> i = NOBODY
       :: i == NEXT_LIFE && last[0] == 2 && life[0] == 2 -> heir = 0; step = OFFER
       :: i < 3 && (life[i] == 1 || HEIR_BY_NUMBER && life[i] != 0) -> heir = i; step = OFFER
       :: else -> listed++
       fi;
       i = 0 }
  :: d_step { CARRIES_OUT && step == OFFER ->
       MOVES(OFFERED); is_said = false; step = NOTHING; printf("coordinator: T2 to heir %d\n", heir) }
  CALL_STEPS(1)
  CALL_STEPS(2)
#if NEXT
  CALL_STEPS(0)
#endif
  :: d_step { CARRIES_OUT && step == TAKE_BACK ->
       if
       :: phase == OFFERED && owner == COORDINATOR -> MOVES(OWNED); heir = NOBODY; printf("coordinator: T4\n")
       :: else
       fi;
       step = NOTHING }
  :: d_step { CARRIES_OUT && step == GO_ON -> listed++; step = TAKE_BACK }
  /* H7: nobody is left */
  :: d_step { CAN_BEGIN && OWNS(COORDINATOR) && listed == 2 -> step = (RETIRED_UNREPORTED -> END_IT : REPORT) }
  :: d_step { CARRIES_OUT && step == REPORT ->
       if
       :: report_epoch == epoch && !REPORTED_AGAIN && !RETIRED_UNREPORTED
       :: else -> reports++; report_epoch = epoch; printf("coordinator: reports that nobody inherits\n")
       fi;
       step = (RETIRED_UNREPORTED -> NOTHING : END_IT) }
  :: d_step { CARRIES_OUT && step == END_IT ->
       MOVES(RETIRED); released++; step = (RETIRED_UNREPORTED -> REPORT : NOTHING); printf("coordinator: T9\n") }

#if NEXT
  :: d_step { CAN_BEGIN && standing[0] == GONE && last[0] == 1 && restarts > 0 && !no_next_life ->
       restarts--; last[0] = 2; life[0] = 2; standing[0] = READY; alive[0] = true; heirs_lane[0] = true;
       resumed[0] = false; printf("coordinator: number 0 lives again\n") }
  :: d_step { CAN_BEGIN && standing[0] == GONE && last[0] == 1 && restarts == 0 && !no_next_life ->
       no_next_life = true; printf("coordinator: number 0 is given up\n") }
#endif
  :: d_step { CAN_BEGIN && standing[1] == GONE && last[1] == 1 && restarts > 0 && !NEXT ->
       restarts--; last[1] = 2; life[1] = 2; standing[1] = READY; alive[1] = true; heirs_lane[1] = true;
       resumed[1] = false; printf("coordinator: number 1 lives again\n") }

  /* K */
  :: d_step { coordinates && successors > 0 ->
       successors--; coordinates = false; serves = false; working = NOBODY; step = NOTHING; is_flag = false;
       is_said = INHERIT_UNREPEATED; no_next_life = false;
       for (i : 0 .. 2) { is_drain_awaited[i] = false; resumed[i] = false; heirs_lane[i] = false; refused[i] = 0 }
       i = 0; if :: phase != OFFERED || owner != COORDINATOR -> heir = (phase == OFFERED -> heir : NOBODY) :: else fi;
       printf("coordinator: dies\n") }
  :: d_step { !coordinates -> coordinates = true; printf("coordinator: the next one takes over\n") }
  :: d_step { coordinates && !serves && IS_FREE && !IS_RESUMABLE ->
       serves = true;
       if
       :: phase == OFFERED && owner == COORDINATOR && !INHERIT_UNREPEATED && !INHERIT_SAID_AGAIN ->
          MOVES(OWNED); heir = NOBODY; printf("coordinator: takes back what the last one has offered\n")
       :: else
       fi }
  od
}

proctype Fate() {
end:
  do
  :: d_step { crashes + successors + restarts + refusals + wills + gifts + lends + leases > 0 ->
       crashes = 0; successors = 0; restarts = 0; refusals = 0; wills = 0; gifts = 0; lends = 0; leases = 0;
       printf("fate: from here on nothing goes wrong\n") }
  od
}

/* Nothing can happen any more. Who lives has released what it had. */
#define FAILS(h) (h == NOBODY || h < 3 && (!alive[h] || last[h] > 1 || declined[h]) || \
  h == NEXT_LIFE && (!alive[0] || declined[0]))
#define GETS(h) (got == h || h == NEXT_LIFE && got == 0)
proctype Watch() {
end:
  timeout ->
    d_step {
      printf("watch: nothing moves any more\n");
      PROMISE(coordinates && serves && IS_FREE, "violated: the coordinator never comes to rest\n");
      for (i : 0 .. 2) {
        PROMISE(alive[i] && standing[i] == READY || !alive[i] && standing[i] == GONE,
                "violated: I8, a death is never settled\n")
      }
      PROMISE(phase == RETIRED, "violated: a segment is never retired\n");
      PROMISE(released == 1, "violated: I7, the session does not balance\n");
      PROMISE(got != NOBODY || !is_due || due_first == NOBODY || FAILS(due_first) && FAILS(due_second),
              "violated: an heir that lives does not inherit\n");
      PROMISE(got == NOBODY || GETS(due_first) || FAILS(due_first), "violated: the first heir is passed over\n");
      PROMISE(!is_due || due_first == NOBODY || got != NOBODY || reports == 1,
              "violated: a segment is lost without a report\n");
      PROMISE(reports == 0 || is_due && got == NOBODY && reports == 1, "violated: a report is wrong, or comes twice\n")
    }
}

init {
  c_code { if (getenv("BATON_LEFT_OUT")) now.left_out = atoi(getenv("BATON_LEFT_OUT")); };
  d_step {
    for (i : 0 .. 2) { alive[i] = true; heirs_lane[i] = true }
    i = 0
  }
  atomic { run Owner(); run Heirs(); run Coordinator(); run Fate(); run Watch() }
}
