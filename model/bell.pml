/* The bell of a lane, as a model for spin: how a writer wakes a receiver that sleeps, and how a reader wakes a
   writer that waits for room. model/run.py runs it; how it is written is said in ownership.pml. What a ring holds is
   in ring.pml, what happens to the records of the dead in lanes.pml.

   Actors 0 and 1 write, each into a ring of its own, and actor 2 reads both: what actor 0 writes are commands, what
   actor 1 writes are answers. Actor 2 sleeps either with interest in both or, in a wait, with interest in answers
   only. A full ring makes its writer sleep with interest in room. A writer may die or be frozen for ever at any
   step, and the reader may die. The others are told of a death, and when a writer has been drained its number may
   live again. They are not told of a freeze: what a frozen writer has published may wait for it, but nothing else.

   Memory: a processor may hold back a plain store, also a release store, while it already makes the loads that
   follow; on some, even the store of an atomic read-modify-write. So what an actor has stored and what others see of
   it are two variables wherever that can matter: `own_written` and `written`, and so on. A transition of `memory:`
   makes such a store visible, at any time. A fence is a guard that waits until the store is visible. The code needs
   a std::atomic_thread_fence(seq_cst) after the stores of `written`, `asleep`, `freed` and wants_room; after a ready
   bit has been set or cleared, a fence, or the read-modify-write and the load that follows are both seq_cst. Each
   time it is the same pattern: I store mine and then look at yours, and you store yours and then look at mine. The
   bytes of a record need no fence, as the release store of `written` publishes them.

   Every word has one writer, except for the words of ready bits, which change by fetch_or and fetch_and only. In
   particular only the receiver stores `asleep`. Writers do not clear it, so each of them that sets its ready bit
   while the receiver sleeps writes a byte; a ready bit that is set already needs none. */

#ifndef RECORDS
#define RECORDS 2           /* that actor 0 writes */
#endif
#ifndef REPLIES
#define REPLIES 2           /* that actor 1 writes */
#endif
#ifndef ROOM
#define ROOM RECORDS        /* records that the ring of actor 0 holds; that of actor 1 holds all */
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef FREEZES
#define FREEZES 1
#endif
#ifndef RESTARTS
#define RESTARTS 1          /* how often the number of a writer is given to another life */
#endif
#ifndef WAITS
#define WAITS 1             /* how often the receiver waits for answers only */
#endif
#ifndef LEFT_OUT
#define LEFT_OUT 0
#endif
byte left_out = LEFT_OUT;
#define NO_SECOND_LOOK     (left_out ==  1)  /* the receiver does not look at ready bits once it has stored `asleep` */
#define NO_FENCE_ASLEEP    (left_out ==  2)  /* ... looks without a fence */
#define NO_FENCE_WRITTEN   (left_out ==  3)  /* the writer looks at its ready bit without a fence after `written` */
#define READY_FIRST        (left_out ==  4)  /* the writer sets its ready bit before it stores `written` */
#define CLEARED_LATE       (left_out ==  5)  /* the receiver clears the ready bit after it has read `written` */
#define ASLEEP_TAKEN       (left_out ==  6)  /* the writer clears `asleep` before it writes the byte, to spare others */
#define INTERESTS_TAKEN    (left_out ==  7)  /* ... and writes no byte if its interest was not in what it cleared */
#define ASLEEP_CLEARED     (left_out ==  8)  /* the writer clears `asleep` after it has written the byte */
#define SLICE_FORGOTTEN    (left_out ==  9)  /* what a slice has left over is not remembered */
#define EMPTIED_LATE       (left_out == 10)  /* the receiver empties its FIFO after the second look */
#define EXIT_UNTOLD        (left_out == 11)  /* the receiver is not told of a writer's exit */
#define WRITER_UNTOLD      (left_out == 12)  /* a writer that waits for room is not told of its reader's exit */
#define ROOM_FIRST         (left_out == 13)  /* the reader looks at wants_room before it stores `freed` */
#define NO_FENCE_FREED     (left_out == 14)  /* ... after that, but without a fence */
#define NO_LOOK_FOR_ROOM   (left_out == 15)  /* the writer does not look at `freed` again once wants_room is stored */
#define NO_FENCE_WANTS     (left_out == 16)  /* ... looks without a fence */
#define ROOM_CLEARED_LATE  (left_out == 17)  /* the writer clears its bit of room after it has looked at `freed` */
#define LIES_ON            (left_out == 18)  /* who is told of an exit in its sleep drains, and does not look again */
#define NO_FENCE_SET       (left_out == 19)  /* the writer loads `asleep` without a fence once it has set its bit */
#define NO_FENCE_CLEARED   (left_out == 20)  /* the receiver loads `written` without a fence once the bit is cleared */

#define PROMISE(condition, story) if :: !(condition) -> printf(story); assert(false) :: else fi

/* what a writer is in the middle of; from ASKED on it waits for room */
mtype = { IDLE, STORED, ANNOUNCED, SET, RINGS, GRABS, WIPES, ASKED, CLEARS, LIES_DOWN, LOOKS, SLEEPS, ENDED };
/* what the receiver is in the middle of, besides LOOKS and SLEEPS */
mtype = { SCANS, READS, TAKES, FREES, TELLS, NUDGES, RISES, EMPTIES };

#define READER 2
#define COMMANDS 1
#define ANSWERS 2
#define INTEREST(w) ((w) + 1)
#define HAS(set, w) (((set) & INTEREST(w)) != 0)
#define ROOM_OF(w) ((w) == 0 -> ROOM : REPLIES)
#define RECORDS_OF(w) ((w) == 0 -> RECORDS : REPLIES)

/* ---- shared */
byte written[2], freed[2];
bool wants_room[2];
bool ready[2];              /* the bit of writer w in the ready words of the receiver's page */
bool ready_room[2];         /* the bit of the receiver in the ready word for room, in the page of writer w */
byte asleep;                /* interests of the receiver, in its page */
bool asleep_for_room[2];    /* interest in room, in the page of writer w */
bool byte_in[3];            /* the FIFO of each is not empty */

/* ---- what is stored and perhaps not yet seen by others */
byte own_written[2], own_freed[2], own_asleep;
bool is_asleep_hidden;      /* `asleep` is to become `own_asleep` */
bool is_set_hidden[2];      /* the ready bit of writer w is to be set */
bool is_clear_hidden[2];    /* ... is to be cleared */
bool own_wants[2], own_asleep_for_room[2];

/* ---- what is in a process */
mtype doing[3] = IDLE;
byte interests = COMMANDS + ANSWERS;    /* of the receiver */
byte at, seen;              /* the writer whose ring the receiver reads, and how far it has seen it written */
bool saw_wants;
bool has_taken;             /* a record, since it has begun to read this ring */
bool remembered[2];         /* the receiver has left something in this ring */

bool alive[3] = true;
bool frozen[2];
bool was_told[2];           /* the receiver is to look, as this writer has exited: its control lane is not empty */
bool reader_has_exited[2];  /* the writer has been told */
byte crashes = CRASHES, freezes = FREEZES, restarts = RESTARTS, waits = WAITS;

#define GOES(w) (alive[w] && !frozen[w])
#define IS_FULL(w) (own_written[w] - freed[w] >= ROOM_OF(w))

proctype Writer(byte me) {
end:
  do
  /* publishes: `written` is stored, then fence, then its ready bit is looked at, and set only if it was not set */
  :: d_step { GOES(me) && doing[me] == IDLE && own_written[me] < RECORDS_OF(me) && !IS_FULL(me) && !READY_FIRST ->
       own_written[me]++; doing[me] = STORED; printf("actor %d: stores `written` %d\n", me, own_written[me]) }
  :: d_step { GOES(me) && doing[me] == STORED && (written[me] == own_written[me] || NO_FENCE_WRITTEN && ready[me]) ->
       if
       :: ready[me] || is_set_hidden[me] -> doing[me] = IDLE; printf("actor %d: its ready bit is set already\n", me)
       :: else -> is_set_hidden[me] = true; doing[me] = SET; printf("actor %d: sets its ready bit\n", me)
       fi }
  :: d_step { GOES(me) && doing[me] == IDLE && own_written[me] < RECORDS_OF(me) && !IS_FULL(me) && READY_FIRST ->
       if
       :: ready[me] -> doing[me] = ANNOUNCED
       :: else -> ready[me] = true; doing[me] = ANNOUNCED; printf("actor %d: sets its ready bit\n", me)
       fi }
  :: d_step { GOES(me) && doing[me] == ANNOUNCED ->
       own_written[me]++; doing[me] = SET; printf("actor %d: stores `written` %d\n", me, own_written[me]) }
  /* rings, if the receiver sleeps and has this interest; `asleep` is the receiver's word and left alone */
  :: d_step { GOES(me) && doing[me] == SET && (!is_set_hidden[me] || NO_FENCE_SET) ->
       if
       :: HAS(asleep, me) -> doing[me] = (ASLEEP_TAKEN || INTERESTS_TAKEN -> GRABS : RINGS)
       :: else -> doing[me] = IDLE; printf("actor %d: sees nobody asleep\n", me)
       fi }
  :: d_step { GOES(me) && doing[me] == GRABS ->
       if
       :: HAS(asleep, me) || ASLEEP_TAKEN && asleep != 0 -> doing[me] = RINGS; printf("actor %d: takes `asleep`\n", me)
       :: else -> doing[me] = IDLE; printf("actor %d: takes `asleep` %d and does not ring\n", me, asleep)
       fi;
       asleep = 0 }
  :: d_step { GOES(me) && doing[me] == RINGS ->
       byte_in[READER] = true; printf("actor %d: writes a byte\n", me);
       if :: ASLEEP_CLEARED -> doing[me] = WIPES :: else -> doing[me] = IDLE fi }
  :: d_step { GOES(me) && doing[me] == WIPES -> asleep = 0; doing[me] = IDLE;
       printf("actor %d: clears `asleep`\n", me) }
  /* is full: wants_room is stored, then fence, then `freed` is looked at once more, then it sleeps as any other */
  :: d_step { GOES(me) && doing[me] == IDLE && own_written[me] < RECORDS_OF(me) && IS_FULL(me) ->
       own_wants[me] = true; doing[me] = ASKED; printf("actor %d: wants room\n", me) }
  :: d_step { GOES(me) && doing[me] == ASKED && (wants_room[me] || NO_FENCE_WANTS) ->
       if
       :: !IS_FULL(me) && !NO_LOOK_FOR_ROOM ->
          own_wants[me] = false; wants_room[me] = false; doing[me] = IDLE; printf("actor %d: has room\n", me)
       :: else -> doing[me] = LIES_DOWN; printf("actor %d: sees no room\n", me)
       fi }
  :: d_step { GOES(me) && doing[me] == LIES_DOWN ->
       if :: ROOM_CLEARED_LATE -> ready_room[me] = false :: else fi;
       own_asleep_for_room[me] = true; doing[me] = LOOKS }
  :: d_step { GOES(me) && doing[me] == LOOKS && asleep_for_room[me] ->
       doing[me] = (ready_room[me] -> RISES : SLEEPS) }
  :: d_step { GOES(me) && doing[me] == SLEEPS && (byte_in[me] || reader_has_exited[me]) -> doing[me] = RISES }
  :: d_step { GOES(me) && doing[me] == RISES ->
       own_asleep_for_room[me] = false; asleep_for_room[me] = false; byte_in[me] = false; doing[me] = CLEARS }
  :: d_step { GOES(me) && doing[me] == CLEARS ->
       if :: !ROOM_CLEARED_LATE -> ready_room[me] = false :: else fi;
       if
       :: reader_has_exited[me] -> doing[me] = ENDED; printf("actor %d: ends, as its reader has exited\n", me)
       :: else -> doing[me] = ((NO_LOOK_FOR_ROOM && !IS_FULL(me)) -> IDLE : ASKED)
       fi }
  :: d_step { GOES(me) && crashes > 0 ->
       crashes--; alive[me] = false; written[me] = own_written[me];
       ready[me] = ready[me] || is_set_hidden[me]; is_set_hidden[me] = false; printf("actor %d: dies\n", me) }
  :: d_step { GOES(me) && freezes > 0 -> freezes--; frozen[me] = true; printf("actor %d: is frozen\n", me) }
  od
}

inline next_ring() { at++; seen = 0; has_taken = false; doing[READER] = SCANS }

proctype Receiver() {
end:
  do
  /* takes: goes through the rings of its interests that are ready or remembered */
  :: d_step { alive[READER] && doing[READER] == IDLE -> at = 0; doing[READER] = SCANS }
  :: d_step { alive[READER] && doing[READER] == SCANS && at < 2 ->
       if
       :: HAS(interests, at) && remembered[at] -> doing[READER] = READS
       :: HAS(interests, at) && ready[at] && !is_clear_hidden[at] && !remembered[at] ->
          if :: CLEARED_LATE :: else -> is_clear_hidden[at] = true fi;
          doing[READER] = READS; printf("actor 2: takes the ready bit of %d\n", at)
       :: else -> next_ring()
       fi }
  :: d_step { alive[READER] && doing[READER] == READS && (!is_clear_hidden[at] || NO_FENCE_CLEARED) ->
       seen = written[at]; doing[READER] = TAKES; printf("actor 2: reads that %d has written %d\n", at, seen) }
  :: d_step { alive[READER] && doing[READER] == TAKES && own_freed[at] < seen ->
       saw_wants = wants_room[at]; own_freed[at]++; has_taken = true; doing[READER] = FREES;
       printf("actor 2: takes and frees record %d of %d\n", own_freed[at], at) }
  :: d_step { alive[READER] && doing[READER] == TAKES && own_freed[at] == seen ->
       remembered[at] = false; if :: CLEARED_LATE -> ready[at] = false :: else fi; next_ring() }
  :: d_step { alive[READER] && doing[READER] == TAKES && own_freed[at] < seen && has_taken -> /* the slice is over */
       remembered[at] = !SLICE_FORGOTTEN; next_ring() }
  /* has freed room: `freed` is stored, then fence, then wants_room is looked at; the writer is rung in the same way */
  :: d_step { alive[READER] && doing[READER] == FREES && (freed[at] == own_freed[at] || NO_FENCE_FREED || ROOM_FIRST) ->
       doing[READER] = ((ROOM_FIRST -> saw_wants : wants_room[at]) -> TELLS : TAKES); saw_wants = false }
  :: d_step { alive[READER] && doing[READER] == TELLS && (ready_room[at] || freed[at] == own_freed[at]) ->
       if :: ready_room[at] -> doing[READER] = TAKES :: else -> ready_room[at] = true; doing[READER] = NUDGES fi }
  :: d_step { alive[READER] && doing[READER] == NUDGES ->
       if :: asleep_for_room[at] -> doing[READER] = RINGS :: else -> doing[READER] = TAKES fi }
  :: d_step { alive[READER] && doing[READER] == RINGS -> byte_in[at] = true; doing[READER] = TAKES;
       printf("actor 2: rings %d\n", at) }
  /* sleeps: `asleep` is stored, then fence, then the ready bits are looked at once more */
  :: d_step { alive[READER] && doing[READER] == SCANS && at == 2 ->
       at = 0;
       if
       :: remembered[0] && HAS(interests, 0) || remembered[1] && HAS(interests, 1)
       :: else ->
          own_asleep = interests; is_asleep_hidden = true; doing[READER] = LOOKS;
          printf("actor 2: asleep with interests %d\n", interests)
       fi }
  :: d_step { alive[READER] && doing[READER] == SCANS && at == 2 && interests != ANSWERS && waits > 0 ->
       waits--; interests = ANSWERS; doing[READER] = IDLE; printf("actor 2: waits for answers only\n") }
  :: d_step { alive[READER] && doing[READER] == SCANS && at == 2 && interests == ANSWERS ->
       interests = COMMANDS + ANSWERS; doing[READER] = IDLE; printf("actor 2: does not wait any more\n") }
  :: d_step { alive[READER] && doing[READER] == LOOKS && (!is_asleep_hidden || NO_FENCE_ASLEEP) &&
              !is_clear_hidden[0] && !is_clear_hidden[1] && at < 2 ->
       if :: HAS(interests, at) && ready[at] && !NO_SECOND_LOOK -> at = 0; doing[READER] = RISES :: else -> at++ fi }
  :: d_step { alive[READER] && doing[READER] == LOOKS && at == 2 ->
       at = 0; doing[READER] = SLEEPS; if :: EMPTIED_LATE -> byte_in[READER] = false :: else fi;
       printf("actor 2: sleeps\n") }
  :: d_step { alive[READER] && doing[READER] == SLEEPS &&
              (byte_in[READER] || (was_told[0] || was_told[1]) && !LIES_ON) ->
       doing[READER] = RISES; printf("actor 2: is woken\n") }
  :: d_step { alive[READER] && doing[READER] == RISES -> own_asleep = 0; is_asleep_hidden = false; asleep = 0;
       doing[READER] = EMPTIES }
  :: d_step { alive[READER] && doing[READER] == EMPTIES ->
       if :: EMPTIED_LATE :: else -> byte_in[READER] = false fi;
       if :: was_told[0] -> remembered[0] = true; was_told[0] = false :: else fi;
       if :: was_told[1] -> remembered[1] = true; was_told[1] = false :: else fi;
       doing[READER] = IDLE }
  :: d_step { alive[READER] && crashes > 0 ->
       crashes--; alive[READER] = false; freed[0] = own_freed[0]; freed[1] = own_freed[1]; printf("actor 2: dies\n") }
  od
}

#define LIVES_AGAIN(w) \
  :: d_step { LIES_ON && doing[READER] == SLEEPS && was_told[w] -> \
       was_told[w] = false; own_freed[w] = written[w]; freed[w] = written[w]; \
       printf("actor 2: drains and sleeps on\n") } \
  :: d_step { !alive[w] && is_told[w] && !was_told[w] && !remembered[w] && freed[w] == written[w] && \
              alive[READER] && restarts > 0 -> \
       restarts--; alive[w] = true; frozen[w] = false; doing[w] = IDLE; is_told[w] = false; \
       printf("coordinator: %d lives again\n", w) }

/* Stores become visible, exits are told, and the number of a writer that has been drained lives again. */
proctype World() {
  bool is_told[3];
end:
  do
  :: d_step { written[0] != own_written[0] -> written[0] = own_written[0]; printf("memory: `written` of 0 is seen\n") }
  :: d_step { written[1] != own_written[1] -> written[1] = own_written[1]; printf("memory: `written` of 1 is seen\n") }
  :: d_step { is_set_hidden[0] -> is_set_hidden[0] = false; ready[0] = true; printf("memory: bit of 0 is set\n") }
  :: d_step { is_set_hidden[1] -> is_set_hidden[1] = false; ready[1] = true; printf("memory: bit of 1 is set\n") }
  :: d_step { is_clear_hidden[0] ->
       is_clear_hidden[0] = false; ready[0] = false; printf("memory: bit of 0 is cleared\n") }
  :: d_step { is_clear_hidden[1] ->
       is_clear_hidden[1] = false; ready[1] = false; printf("memory: bit of 1 is cleared\n") }
  :: d_step { freed[0] != own_freed[0] -> freed[0] = own_freed[0]; printf("memory: `freed` of 0 is seen\n") }
  :: d_step { freed[1] != own_freed[1] -> freed[1] = own_freed[1] }
  :: d_step { is_asleep_hidden -> is_asleep_hidden = false; asleep = own_asleep; printf("memory: `asleep` is seen\n") }
  :: d_step { !wants_room[0] && own_wants[0] -> wants_room[0] = true; printf("memory: `wants_room` is seen\n") }
  :: d_step { !wants_room[1] && own_wants[1] -> wants_room[1] = true }
  :: d_step { !asleep_for_room[0] && own_asleep_for_room[0] -> asleep_for_room[0] = true }
  :: d_step { !asleep_for_room[1] && own_asleep_for_room[1] -> asleep_for_room[1] = true }
  :: d_step { !alive[0] && !is_told[0] && !EXIT_UNTOLD -> is_told[0] = true; was_told[0] = true;
       printf("coordinator: tells of the exit of 0\n") }
  :: d_step { !alive[1] && !is_told[1] && !EXIT_UNTOLD -> is_told[1] = true; was_told[1] = true;
       printf("coordinator: tells of the exit of 1\n") }
  LIVES_AGAIN(0)
  LIVES_AGAIN(1)
  :: d_step { !alive[READER] && !is_told[2] && !WRITER_UNTOLD ->
       is_told[2] = true; reader_has_exited[0] = true; reader_has_exited[1] = true;
       printf("coordinator: tells of the exit of 2\n") }
  od
}

#define IS_IN_BETWEEN(w) (doing[w] == STORED || doing[w] == ANNOUNCED || doing[w] == SET || doing[w] == RINGS || \
                          doing[w] == GRABS)

#define WATCH_WRITER(w) \
      PROMISE(!alive[READER] || !HAS(interests, w) || freed[w] == own_written[w] || frozen[w] && IS_IN_BETWEEN(w), \
              "violated: the receiver sleeps, and a record waits\n"); \
      PROMISE(!GOES(w) || doing[w] == ENDED || doing[w] == IDLE && own_written[w] == RECORDS_OF(w) || \
              alive[READER] && doing[w] == SLEEPS && own_written[w] - own_freed[w] == ROOM_OF(w), \
              "violated: a writer sleeps, and there is room or nobody who could make it\n")

/* From some moment on nobody dies and nobody is frozen any more. So nothing is rescued by a death in the end. */
proctype Fate() {
end:
  if
  :: d_step { crashes + freezes + restarts > 0 ->
       crashes = 0; freezes = 0; restarts = 0; printf("fate: no more deaths\n") }
  fi
}

/* Nothing can happen any more. */
proctype Watch() {
end:
  timeout ->
    d_step {
      printf("watch: nothing moves any more\n");
      PROMISE(!alive[READER] || doing[READER] == SLEEPS, "violated: the receiver neither works nor sleeps\n");
      WATCH_WRITER(0);
      WATCH_WRITER(1)
    }
}

init {
  c_code { if (getenv("BATON_LEFT_OUT")) now.left_out = atoi(getenv("BATON_LEFT_OUT")); };
  atomic { run Writer(0); run Writer(1); run Receiver(); run World(); run Fate(); run Watch() }
}
