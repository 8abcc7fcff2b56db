/* Lanes, as a model for spin: opening, deaths, draining and the reuse of numbers. model/run.py runs it; how it is
   written is said in ownership.pml. How one wakes the other is in bell.pml; here an actor that has something to do
   does it sometime.

   Two actor numbers, each of which lives, dies and lives again, and each may write to the other. A lane is an object
   that is named after the lives of its writer and its reader. The coordinator settles each death step by step while
   all others go on. `written` is the writer's word, `taken` the reader's, lanes_to the opener's, and the life the
   coordinator's; a ready bit is set by the writer and cleared by the reader. All of them are sequentially consistent
   here. For the set of senders, lanes_to and the life the code must see to that: the opener stores its number in the
   set beside the receiver's row, then lanes_to, then a fence, then it loads the life; the coordinator stores the life,
   then a fence, then it loads the set, and the lanes_to of those that are in it.

   What becomes of a record: its reader handles it, or it is a dead letter, or it comes back with its gift, or its
   reader had taken it in hand when it died. A message that has not been published is unsent, and its sender is told
   `gone`. */

#ifndef SENDS_0
#define SENDS_0 2           /* how often actor 0 sends */
#endif
#ifndef SENDS_1
#define SENDS_1 0
#endif
#ifndef GIFT
#define GIFT 0              /* 1: the first record of actor 0's first life carries a gift */
#endif
#ifndef ASKS
#define ASKS 0              /* 1: the records of actor 0 are asks, and are answered in the lane's other ring */
#endif
#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef RESTARTS
#define RESTARTS 1
#endif
#ifndef LEFT_OUT
#define LEFT_OUT 0
#endif
byte left_out = LEFT_OUT;
#define LOOK_THEN_OPEN       (left_out ==  1)  /* the opener looks at the life before it sets its bit in lanes_to */
#define NO_LOOK_AT_LIFE      (left_out ==  2)  /* ... or not at all */
#define COUNT_THEN_TAKE      (left_out ==  3)  /* the coordinator reads lanes_to before it takes the life */
#define READY_BEFORE_OBJECT  (left_out ==  4)  /* the ready bit is set before the object is complete */
#define HALF_MADE_OPENED     (left_out ==  5)  /* the reader opens an object that is not complete */
#define OPENED_THEN_CLEARED  (left_out ==  6)  /* the reader looks for the object, and then clears the ready bit */
#define DRAIN_FOR_GIFTS_ONLY (left_out ==  7)  /* Drain is not sent for the sake of records without gifts */
#define WRITER_UNASKED       (left_out ==  8)  /* who only wrote to the dead one is not asked to answer Drained */
#define GONE_AFTER_PUBLISH   (left_out ==  9)  /* the writer looks at the life once it has published, and says `gone` */
#define WRITES_AFTER_DRAINED (left_out == 10)  /* who has answered Drained still publishes in its open lane */
#define DRAINED_TOO_SOON     (left_out == 11)  /* Drained is answered before the ring is empty */
#define DRAINED_UNOPENED     (left_out == 12)  /* ... without opening a lane of which no ready bit was seen */
#define DRAINED_HOLDING      (left_out == 13)  /* ... while the last record is in hand */
#define UNLINKED_TOO_SOON    (left_out == 14)  /* a dead writer's object is unlinked before its reader has drained it */
#define REUSED_TOO_SOON      (left_out == 15)  /* the number lives again before all have drained or died */
#define LOOKED_ONCE          (left_out == 16)  /* the coordinator looks into a dead reader's ring at once, not again */
#define TAKEN_STORED_LATE    (left_out == 17)  /* `taken` is stored after the record has been handled */
#define LETTERS_AGAIN        (left_out == 18)  /* the last look begins at `taken`, not where the first ended */
#define DEAD_READER_ONLY     (left_out == 19)  /* a dead writer's ring is only unlinked, though its reader died too */
#define LETTER_OF_BOUNCED    (left_out == 20)  /* a command whose gift has come back is a dead letter, too */
#define GONE_BEFORE_ANSWERS  (left_out == 21)  /* asks end as `gone` before the ring of answers has been read */
#define LETTER_BY_ROW        (left_out == 22)  /* whether it has come back is not remembered, but read from its row */
#define ROWS_AFTER_RINGS     (left_out == 23)  /* rings are read before the rows are walked */
#define BIT_CLEARED          (left_out == 24)  /* who is told `gone` clears its bit despite a lane to a later life */
#define LOOK_THEN_JOIN       (left_out == 25)  /* the opener looks at the life before it joins the set of senders */
#define SET_CLEARED_LATE     (left_out == 26)  /* the set is cleared when the next life stands, not before */

#define PROMISE(condition, story) if :: !(condition) -> printf(story); assert(false) :: else fi

/* an object; what became of a record, of an ask; the row of the gift */
mtype = { NONE, NAMED, COMPLETE, UNLINKED };
mtype = { UNSENT, PUBLISHED, IN_HAND, HANDLED, LETTER, BOUNCED, LOST_IN_HAND };
mtype = { ASKED, ANSWERED, GONE };
mtype = { OWNED, OFFERED, ACCEPTED, RETURNED, RETIRED };
/* what an actor is in the middle of */
mtype = { IDLE, JOINS, OPENS, LOOKS, CREATES, COMPLETES, STARTS, CHECKS, PUBLISHES, SIGNALS, REGRETS,
          CLEARED, CLEARS, FINDS, READS, TAKES, HANDLES, ANSWERS, CALLS_BACK, READS_ANSWERS,
          DRAINS, ENDS_ASKS, REPORTS };
/* how far the settling has come; and of the lanes of a dead life */
mtype = { STANDS, TAKEN, ROWS, COUNTED, TOLD, SETTLED, PREPARED };
mtype = { CLOSED, WAITS, TO_IT, FROM_IT };

#define OTHER(x) (1 - (x))
#define LANE(w, wl, rl) ((w) * 4 + ((wl) - 1) * 2 + (rl) - 1)
#define RECORD(w, id) ((w) * 4 + (id))
#define IS_GIFT(w, id) (GIFT && (w) == 0 && (id) == gift_id)

/* ---- shared */
byte life[2];               /* 0: none stands */
bool lanes_to[2];           /* in the page of each: it has a lane to the other */
bool is_sender[2];          /* in the set beside the row of each: the other sends to it */
bool ready[2], ready_answers[2];    /* in the page of each: the bit of the other */
mtype object[8] = NONE;
byte written[8], taken[8], answered[8];
byte base[8];               /* records of this writer before those in this lane; for the assertions */
mtype row = OWNED;          /* of the gift, of life 1 of actor 0 */
byte offered_to;            /* which life of actor 1 */

/* ---- what only the kernel knows */
bool alive[2];
byte incarnation[2];

/* ---- what is in a process and dies with it */
mtype doing[2] = IDLE;
byte target[2];             /* the life that it wants to send to: a Ref may be old */
byte to_life[2], from_life[2];  /* of the other: lanes that are open here, for writing and for reading */
byte at[2];                 /* the life whose lane is to be opened or is read */
byte seen[2], hand[2];
byte draining[2];

/* ---- messages of the control lane */
byte drain[2];              /* the life of the other of which this actor is to answer Drained */
byte drained[2];            /* the life of the other of which it has */

/* ---- the coordinator */
mtype settling[2] = STANDS;
bool writes[2], reads[2];   /* the other writes to the dead one, reads from it */
mtype closing[2] = CLOSED;  /* the lanes between a dead life and another */
byte closing_life[2], peer_life[2];
bool is_peer_dead[2];
byte looked[8];             /* dead letters have been made up to here */
bool set_is_old[2];
bool has_bounced;           /* T5 has returned the gift to its sender */

byte crashes = CRASHES, restarts = RESTARTS;
byte sends[2];

/* ---- for the assertions */
byte sent[2];               /* records published by a number */
mtype fate[8] = UNSENT;     /* of each */
mtype ask[4] = NONE;
byte gift_id;
byte last_handled[2];

#define OUT(me) LANE(me, incarnation[me], to_life[me])
#define IN(me) LANE(OTHER(me), from_life[me], incarnation[me])

/* ---- sending */
inline begin_send(me) {
  sends[me]--;
  if
  :: to_life[me] == target[me] || WRITES_AFTER_DRAINED && to_life[me] != 0 -> doing[me] = STARTS
  :: else -> doing[me] = (LOOK_THEN_OPEN -> LOOKS : (LOOK_THEN_JOIN -> OPENS : JOINS))
  fi
}
inline publish(me) {
  sent[me]++; fate[RECORD(me, sent[me])] = PUBLISHED; written[OUT(me)]++;
  if :: GIFT && me == 0 && row == OFFERED && gift_id == 0 -> gift_id = sent[0] :: else fi;
  if :: ASKS && me == 0 -> ask[sent[0]] = ASKED :: else fi;
  printf("actor %d: publishes record %d for life %d\n", me, sent[me], to_life[me])
}
inline be_told_gone(me) { doing[me] = IDLE; printf("actor %d: is told that life %d is gone\n", me, target[me]) }

/* ---- handling */
inline handle(me) {
  PROMISE(fate[RECORD(OTHER(me), hand[me])] == IN_HAND,
          "violated: a record is handled twice, or was told to be lost\n");
  PROMISE(hand[me] > last_handled[me], "violated: records are handled in another order\n");
  last_handled[me] = hand[me];
  if
  :: IS_GIFT(OTHER(me), hand[me]) ->
     PROMISE(row == OFFERED && offered_to == incarnation[me], "violated: a gift has arrived and cannot be accepted\n");
     row = ACCEPTED
  :: else
  fi;
  fate[RECORD(OTHER(me), hand[me])] = HANDLED;
  printf("actor %d: handles record %d\n", me, hand[me])
}

/* all asks of one lane, up to a number */
inline end_asks(me, upto) {
  id = base[OUT(me)] + 1;
  do
  :: id <= upto ->
     if :: ask[id] == ASKED -> ask[id] = ANSWERED; printf("actor %d: has the answer of %d\n", me, id) :: else fi;
     id++
  :: else -> break
  od;
  id = 0
}
inline end_asks_gone(me) {
  id = base[OUT(me)] + 1;
  do
  :: id <= sent[me] ->
     if
     :: ask[id] == ASKED ->
        PROMISE(id > base[OUT(me)] + answered[OUT(me)],
                "violated: an ask ends as gone, and its answer lies in the ring\n");
        ask[id] = GONE; printf("actor %d: ask %d is gone\n", me, id)
     :: else
     fi; id++
  :: else -> break
  od;
  id = 0
}

#define ENDS_ASKS_FIRST(me) (ASKS && me == 0 && to_life[me] == draining[me] && !GONE_BEFORE_ANSWERS)

proctype Actor(byte me) {
  byte id;
end:
  do
  /* sends: to whom it has just looked up, or by a Ref that it has had for long */
  :: d_step { alive[me] && doing[me] == IDLE && sends[me] > 0 && life[OTHER(me)] != 0 &&
              target[me] != life[OTHER(me)] -> target[me] = life[OTHER(me)] }
  :: d_step { alive[me] && doing[me] == IDLE && sends[me] > 0 && target[me] != 0 -> begin_send(me) }
  :: d_step { alive[me] && doing[me] == IDLE && sends[me] > 0 && target[me] > 1 -> target[me] = 1; begin_send(me) }
  /* opens: its number in the set of senders, its bit in lanes_to, then the life, then the object */
  :: d_step { alive[me] && doing[me] == JOINS ->
       is_sender[OTHER(me)] = true; doing[me] = (LOOK_THEN_JOIN -> CREATES : OPENS);
       printf("actor %d: joins the set of senders\n", me) }
  :: d_step { alive[me] && doing[me] == OPENS ->
       lanes_to[me] = true; doing[me] = (LOOK_THEN_OPEN || NO_LOOK_AT_LIFE -> CREATES : LOOKS);
       printf("actor %d: sets its bit in lanes_to\n", me) }
  :: d_step { alive[me] && doing[me] == LOOKS ->
       if
       :: life[OTHER(me)] == target[me] ->
          doing[me] = (LOOK_THEN_OPEN || LOOK_THEN_JOIN -> JOINS : CREATES);
          printf("actor %d: sees life %d\n", me, target[me])
       :: else -> if :: to_life[me] == 0 || BIT_CLEARED -> lanes_to[me] = false :: else fi; be_told_gone(me)
       fi }
  :: d_step { alive[me] && doing[me] == CREATES ->
       object[LANE(me, incarnation[me], target[me])] = NAMED; base[LANE(me, incarnation[me], target[me])] = sent[me];
       if :: READY_BEFORE_OBJECT -> ready[OTHER(me)] = true :: else fi;
       doing[me] = COMPLETES; printf("actor %d: creates the lane to life %d\n", me, target[me]) }
  :: d_step { alive[me] && doing[me] == COMPLETES ->
       object[LANE(me, incarnation[me], target[me])] = COMPLETE; to_life[me] = target[me]; doing[me] = STARTS }
  /* publishes; before that a gift: T2, the look at the life, perhaps T4 */
  :: d_step { alive[me] && doing[me] == STARTS && GIFT && me == 0 && row == OWNED && incarnation[me] == 1 ->
       row = OFFERED; offered_to = to_life[me]; doing[me] = CHECKS; printf("actor 0: T2\n") }
  :: d_step { alive[me] && doing[me] == CHECKS ->
       if
       :: life[OTHER(me)] == to_life[me] -> doing[me] = PUBLISHES
       :: else ->
          if :: row == OFFERED -> row = OWNED; printf("actor 0: T4\n") :: else fi;
          be_told_gone(me)
       fi }
  :: d_step { alive[me] && (doing[me] == PUBLISHES ||
                            doing[me] == STARTS && !(GIFT && me == 0 && row == OWNED && incarnation[me] == 1)) ->
       publish(me); doing[me] = SIGNALS }
  /* ... and does not look at the life after that: what became of the record is not the writer's to say */
  :: d_step { alive[me] && doing[me] == SIGNALS ->
       if :: READY_BEFORE_OBJECT :: else -> ready[OTHER(me)] = true fi;
       doing[me] = (GONE_AFTER_PUBLISH -> REGRETS : IDLE); printf("actor %d: sets its ready bit\n", me) }
  :: d_step { alive[me] && doing[me] == REGRETS ->
       if
       :: life[OTHER(me)] != to_life[me] && fate[RECORD(me, sent[me])] == PUBLISHED ->
          fate[RECORD(me, sent[me])] = UNSENT; be_told_gone(me)
       :: else -> doing[me] = IDLE
       fi }
  /* finds a gift that has come back, and drops it */
  :: d_step { GIFT && alive[me] && me == 0 && doing[me] == IDLE && row == RETURNED && incarnation[me] == 1 ->
       row = RETIRED; printf("actor 0: its gift has come back\n") }
  /* receives: clears the ready bit, opens the lane if it is not open, reads `written`, takes */
  :: d_step { alive[me] && doing[me] == IDLE && ready[me] ->
       if :: OPENED_THEN_CLEARED :: else -> ready[me] = false fi; doing[me] = CLEARED }
  :: d_step { alive[me] && doing[me] == CLEARED ->
       if
       :: from_life[me] != 0 -> at[me] = from_life[me]; doing[me] = READS
       :: from_life[me] == 0 && life[OTHER(me)] != 0 -> at[me] = life[OTHER(me)]; doing[me] = FINDS
       :: else -> doing[me] = IDLE      /* the writer has exited: Drain will say of which life */
       fi;
       if :: OPENED_THEN_CLEARED && doing[me] != FINDS -> ready[me] = false :: else fi }
  :: d_step { alive[me] && doing[me] == FINDS ->
       if
       :: object[LANE(OTHER(me), at[me], incarnation[me])] == COMPLETE ||
          HALF_MADE_OPENED && object[LANE(OTHER(me), at[me], incarnation[me])] == NAMED ->
          PROMISE(object[LANE(OTHER(me), at[me], incarnation[me])] == COMPLETE,
                  "violated: a lane is opened that is not complete\n");
          from_life[me] = at[me]; doing[me] = READS; printf("actor %d: opens the lane from life %d\n", me, at[me])
       :: else -> doing[me] = (draining[me] != 0 -> REPORTS : (OPENED_THEN_CLEARED -> CLEARS : IDLE))
       fi }
  :: d_step { alive[me] && doing[me] == CLEARS -> ready[me] = false; doing[me] = IDLE }
  :: d_step { alive[me] && doing[me] == READS ->
       if :: OPENED_THEN_CLEARED && draining[me] == 0 -> ready[me] = false :: else fi;
       seen[me] = written[IN(me)]; doing[me] = TAKES }
  :: d_step { alive[me] && doing[me] == TAKES && taken[IN(me)] < seen[me] && !(DRAINED_TOO_SOON && draining[me] != 0) ->
       hand[me] = base[IN(me)] + taken[IN(me)] + 1;
       PROMISE(fate[RECORD(OTHER(me), hand[me])] == PUBLISHED,
               "violated: a record is taken that was told to be lost\n");
       fate[RECORD(OTHER(me), hand[me])] = IN_HAND;
       if :: TAKEN_STORED_LATE :: else -> taken[IN(me)]++ fi;
       if :: DRAINED_HOLDING && draining[me] != 0 -> drained[me] = draining[me];
         printf("actor %d: Drained\n", me) :: else fi;
       doing[me] = HANDLES; printf("actor %d: takes record %d\n", me, hand[me]) }
  :: d_step { alive[me] && doing[me] == HANDLES && hand[me] != 0 ->
       handle(me); hand[me] = 0; if :: !TAKEN_STORED_LATE -> doing[me] = (ASKS -> ANSWERS : TAKES) :: else fi }
  :: d_step { alive[me] && doing[me] == HANDLES && hand[me] == 0 && TAKEN_STORED_LATE -> taken[IN(me)]++;
       doing[me] = (ASKS -> ANSWERS : TAKES) }
  :: d_step { alive[me] && doing[me] == TAKES && (taken[IN(me)] == seen[me] || DRAINED_TOO_SOON && draining[me] != 0) ->
       seen[me] = 0; at[me] = 0; doing[me] = (draining[me] != 0 -> REPORTS : IDLE) }
  /* answers, and reads answers */
  :: d_step { alive[me] && doing[me] == ANSWERS -> answered[IN(me)]++; doing[me] = CALLS_BACK;
       printf("actor %d: answers\n", me) }
  :: d_step { alive[me] && doing[me] == CALLS_BACK -> ready_answers[OTHER(me)] = true; doing[me] = TAKES }
  :: d_step { ASKS && me == 0 && alive[me] && doing[me] == IDLE && ready_answers[me] -> ready_answers[me] = false;
       doing[me] = READS_ANSWERS }
  :: d_step { ASKS && me == 0 && alive[me] && doing[me] == READS_ANSWERS ->
       if :: to_life[me] != 0 -> end_asks(me, base[OUT(me)] + answered[OUT(me)]) :: else fi; doing[me] = IDLE }
  /* drains. The lane to the dead one: reads its answers, ends the asks, and publishes nothing more. That it also does
     while it waits for something within a command */
  :: d_step { alive[me] && doing[me] == HANDLES && hand[me] != 0 && drain[me] != 0 && to_life[me] == drain[me] ->
       if
       :: ASKS && me == 0 ->
          if :: GONE_BEFORE_ANSWERS :: else -> end_asks(me, base[OUT(me)] + answered[OUT(me)]) fi;
          end_asks_gone(me)
       :: else
       fi;
       if :: WRITES_AFTER_DRAINED :: else -> to_life[me] = 0; lanes_to[me] = false fi;
       printf("actor %d: closes its lane to life %d\n", me, drain[me]) }
  :: d_step { alive[me] && doing[me] == IDLE && drain[me] != 0 ->
       draining[me] = drain[me]; drain[me] = 0; printf("actor %d: is to drain life %d\n", me, draining[me]);
       doing[me] = DRAINS }
  :: d_step { alive[me] && doing[me] == DRAINS && ENDS_ASKS_FIRST(me) ->
       end_asks(me, base[OUT(me)] + answered[OUT(me)]); doing[me] = ENDS_ASKS }
  /* ... and then the lane from it: reads it to the end */
  :: d_step { alive[me] && (doing[me] == ENDS_ASKS || doing[me] == DRAINS && !ENDS_ASKS_FIRST(me)) ->
       if
       :: to_life[me] == draining[me] ->
          if :: ASKS && me == 0 -> end_asks_gone(me) :: else fi;
          if :: WRITES_AFTER_DRAINED :: else -> to_life[me] = 0 fi
       :: else
       fi;
       lanes_to[me] = false;
       at[me] = draining[me];
       doing[me] = (from_life[me] == draining[me] -> READS : (DRAINED_UNOPENED -> REPORTS : FINDS)) }
  :: d_step { alive[me] && doing[me] == REPORTS ->
       drained[me] = draining[me]; draining[me] = 0; from_life[me] = 0; at[me] = 0; doing[me] = IDLE;
       printf("actor %d: Drained\n", me) }
  :: d_step { alive[me] && crashes > 0 ->
       crashes--; alive[me] = false; printf("actor %d: dies\n", me);
       if :: hand[me] != 0 && fate[RECORD(OTHER(me), hand[me])] == IN_HAND ->
         fate[RECORD(OTHER(me), hand[me])] = LOST_IN_HAND :: else fi;
       if :: ASKS && me == 0 -> ask[1] = NONE; ask[2] = NONE; ask[3] = NONE :: else fi;
       doing[me] = IDLE; target[me] = 0; to_life[me] = 0; from_life[me] = 0; at[me] = 0; seen[me] = 0; hand[me] = 0;
       draining[me] = 0; drain[me] = 0 }
  od
}

/* ---- the coordinator */
inline make_letter(w, lane) {
  /* behind what the dead reader has taken */
  if :: looked[lane] < taken[lane] -> looked[lane] = taken[lane] :: else fi;
  looked[lane]++;
  PROMISE(fate[RECORD(w, base[lane] + looked[lane])] == PUBLISHED,
          "violated: a record is a dead letter that was taken, or already told of\n");
  if
  :: IS_GIFT(w, base[lane] + looked[lane]) && (LETTER_BY_ROW -> row == RETURNED : has_bounced) &&
     !LETTER_OF_BOUNCED -> fate[RECORD(w, base[lane] + looked[lane])] = BOUNCED
  :: else ->
     PROMISE(!(IS_GIFT(w, base[lane] + looked[lane]) && (has_bounced || row == ACCEPTED)),
             "violated: a command comes back with its gift and is a dead letter, too\n");
     fate[RECORD(w, base[lane] + looked[lane])] = LETTER
  fi;
  printf("coordinator: record %d of actor %d is a dead letter or comes back\n", base[lane] + looked[lane], w)
}
/* T5 of what was offered to the dead, or T6 if who offered it has died too; T9 of what was its own */
inline walk_row(x) {
  if
  :: x == 1 && row == OFFERED && offered_to == incarnation[x] ->
     row = ((incarnation[0] == 1 && settling[0] == STANDS) -> RETURNED : RETIRED);
     has_bounced = (row == RETURNED); printf("coordinator: T5 or T6\n");
     PROMISE(!has_bounced || gift_id == 0 || fate[RECORD(0, gift_id)] != LETTER,
             "violated: a command comes back with its gift and is a dead letter, too\n")
  :: x == 0 && incarnation[0] == 1 && (row == OWNED || row == RETURNED) -> row = RETIRED
  :: else
  fi
}
inline unlink_lane(lane, reader) {
  if
  :: object[lane] == NAMED || object[lane] == COMPLETE ->
     object[lane] = UNLINKED; printf("coordinator: unlinks a lane to actor %d\n", reader)
  :: else
  fi
}

#define LANE_TO(x) LANE(OTHER(x), peer_life[x], closing_life[x])     /* that the dead one has read */
#define LANE_FROM(x) LANE(x, closing_life[x], peer_life[x])          /* that it has written */
#define IS_LEFT(lane) (object[lane] == COMPLETE && looked[lane] < written[lane] && taken[lane] < written[lane])
#define CAN_LIVE_AGAIN(x) (settling[x] == SETTLED && restarts > 0 && incarnation[x] < 2 && \
                           (closing[x] == CLOSED || REUSED_TOO_SOON))

#define DEATH_STEPS(x) \
  :: d_step { settling[x] == STANDS && !alive[x] && incarnation[x] != 0 && !COUNT_THEN_TAKE -> \
       life[x] = 0; settling[x] = TAKEN; printf("coordinator: takes the life of %d\n", x); \
       if :: closing[OTHER(x)] == WAITS && peer_life[OTHER(x)] == incarnation[x] -> closing[OTHER(x)] = TO_IT; \
         is_peer_dead[OTHER(x)] = true :: else fi } \
  :: d_step { settling[x] == STANDS && !alive[x] && incarnation[x] != 0 && COUNT_THEN_TAKE -> \
       reads[x] = lanes_to[x]; writes[x] = is_sender[x] && lanes_to[OTHER(x)]; settling[x] = TAKEN } \
  :: d_step { settling[x] == TAKEN -> if :: ROWS_AFTER_RINGS :: else -> walk_row(x) fi; settling[x] = ROWS } \
  :: d_step { settling[x] == ROWS && !COUNT_THEN_TAKE -> reads[x] = lanes_to[x]; settling[x] = COUNTED } \
  :: d_step { settling[x] == ROWS && COUNT_THEN_TAKE -> life[x] = 0; settling[x] = COUNTED; \
       if :: closing[OTHER(x)] == WAITS && peer_life[OTHER(x)] == incarnation[x] -> closing[OTHER(x)] = TO_IT; \
         is_peer_dead[OTHER(x)] = true :: else fi } \
  :: d_step { settling[x] == COUNTED -> \
       if :: !COUNT_THEN_TAKE -> writes[x] = is_sender[x] && lanes_to[OTHER(x)] :: else fi; settling[x] = TOLD } \
  :: d_step { settling[x] == TOLD && closing[x] == CLOSED && drain[OTHER(x)] == 0 -> \
       settling[x] = SETTLED; \
       if \
       :: reads[x] || writes[x] -> \
          closing_life[x] = incarnation[x]; peer_life[x] = incarnation[OTHER(x)]; \
          is_peer_dead[x] = (settling[OTHER(x)] != STANDS); \
          if \
          :: is_peer_dead[x] || DRAIN_FOR_GIFTS_ONLY && !GIFT || WRITER_UNASKED && !reads[x] -> closing[x] = TO_IT \
          :: else -> \
             if :: alive[OTHER(x)] -> drain[OTHER(x)] = incarnation[x] :: else fi; \
             closing[x] = WAITS; printf("coordinator: asks %d to drain\n", OTHER(x)); \
             if :: UNLINKED_TOO_SOON -> unlink_lane(LANE_FROM(x), OTHER(x)) :: else fi \
          fi; \
          reads[x] = false; writes[x] = false \
       :: else \
       fi } \
  /* the first look, while the writer may still publish */ \
  :: d_step { closing[x] == WAITS && IS_LEFT(LANE_TO(x)) -> make_letter(OTHER(x), LANE_TO(x)) } \
  :: d_step { closing[x] == WAITS && drained[OTHER(x)] == closing_life[x] && peer_life[x] == incarnation[OTHER(x)] -> \
       drained[OTHER(x)] = 0; closing[x] = TO_IT; if :: LETTERS_AGAIN -> looked[LANE_TO(x)] = 0 :: else fi } \
  /* the last look, when the other has answered or died: at what was written to it, then at what it has written */ \
  :: d_step { closing[x] == TO_IT && IS_LEFT(LANE_TO(x)) && !LOOKED_ONCE -> make_letter(OTHER(x), LANE_TO(x)) } \
  :: d_step { closing[x] == TO_IT && !(IS_LEFT(LANE_TO(x)) && !LOOKED_ONCE) -> \
       unlink_lane(LANE_TO(x), x); closing[x] = FROM_IT } \
  :: d_step { closing[x] == FROM_IT && IS_LEFT(LANE_FROM(x)) && is_peer_dead[x] && !DEAD_READER_ONLY -> \
       make_letter(x, LANE_FROM(x)) } \
  :: d_step { closing[x] == FROM_IT && !(IS_LEFT(LANE_FROM(x)) && is_peer_dead[x] && !DEAD_READER_ONLY) -> \
       unlink_lane(LANE_FROM(x), OTHER(x)); \
       if :: x == 0 && closing_life[x] == 1 && row == OFFERED -> row = RETIRED; \
         printf("coordinator: T6\n") :: else fi; \
       if :: ROWS_AFTER_RINGS -> walk_row(x) :: else fi; \
       closing[x] = CLOSED; closing_life[x] = 0; peer_life[x] = 0; is_peer_dead[x] = false; \
       printf("coordinator: the lanes of a life of %d are closed\n", x) } \
  /* the number is given to another life; whether its page is cleared does not matter */ \
  :: d_step { CAN_LIVE_AGAIN(x) -> restarts--; settling[x] = PREPARED; lanes_to[x] = false; ready[x] = false; \
       ready_answers[x] = false; if :: SET_CLEARED_LATE :: else -> is_sender[x] = false fi } \
  :: d_step { CAN_LIVE_AGAIN(x) -> restarts--; settling[x] = PREPARED } \
  :: d_step { settling[x] == PREPARED -> \
       incarnation[x]++; life[x] = incarnation[x]; alive[x] = true; settling[x] = STANDS; drained[x] = 0; \
       last_handled[x] = 0; set_is_old[x] = SET_CLEARED_LATE; printf("coordinator: %d lives again\n", x) } \
  :: d_step { set_is_old[x] -> set_is_old[x] = false; is_sender[x] = false }

proctype Coordinator() {
end:
  do
  DEATH_STEPS(0)
  DEATH_STEPS(1)
  od
}

/* From some moment on nobody dies any more, and no number is given to another life. */
proctype Fate() {
end:
  if :: d_step { crashes + restarts > 0 -> crashes = 0; restarts = 0; printf("fate: no more deaths\n") } fi
}

#define WATCH_LANE(w, wl, rl) \
      PROMISE(object[LANE(w, wl, rl)] == NONE || object[LANE(w, wl, rl)] == UNLINKED || \
              alive[w] && incarnation[w] == wl && alive[OTHER(w)] && incarnation[OTHER(w)] == rl, \
              "violated: an object is left behind\n")

/* Nothing can happen any more. */
proctype Watch() {
  byte x, id;
end:
  timeout ->
    d_step {
      printf("watch: nothing moves any more\n");
      x = 0;
      do
      :: x < 2 ->
         PROMISE(alive[x] && life[x] == incarnation[x] || !alive[x] && settling[x] == SETTLED &&
                 closing[x] == CLOSED, "violated: a death is never settled\n");
         PROMISE(!alive[x] || doing[x] == IDLE && drain[x] == 0, "violated: an actor never comes to rest\n");
         id = 1;
         do
         :: id <= sent[x] ->
            PROMISE(fate[RECORD(x, id)] != PUBLISHED, "violated: a record is lost\n");
            PROMISE(!(ASKS && x == 0 && ask[id] == ASKED), "violated: an ask never ends\n");
            id++
         :: else -> break
         od;
         WATCH_LANE(x, 1, 1); WATCH_LANE(x, 1, 2); WATCH_LANE(x, 2, 1); WATCH_LANE(x, 2, 2);
         x++
      :: else -> break
      od;
      PROMISE(row != OFFERED, "violated: a gift is never decided\n")
    }
}

init {
  c_code { if (getenv("BATON_LEFT_OUT")) now.left_out = atoi(getenv("BATON_LEFT_OUT")); };
  d_step {
    life[0] = 1; life[1] = 1; incarnation[0] = 1; incarnation[1] = 1; alive[0] = true; alive[1] = true;
    sends[0] = SENDS_0; sends[1] = SENDS_1
  }
  atomic { run Actor(0); run Actor(1); run Coordinator(); run Fate(); run Watch() }
}
