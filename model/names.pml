/* The names of the ledger (docs/ownership.md: N1, N2, L7) as a model for spin. model/run.py runs it; how it is written
   is said in ownership.pml.

   Publishers 0 and 1 want one name, each for a segment of its own; actor 2 looks the name up and attaches. Anybody may
   die between any two steps; the coordinator settles. Configuration BIND is the step before: two add one name to the
   table at once, and must get the same row.

   Nobody asks anybody: whoever attaches makes its lease and then looks at the name again, whoever ends a publication
   withdraws the name and then looks at the leases. */

#ifndef BIND
#define BIND 0
#endif
#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef RESTARTS
#define RESTARTS 1
#endif
#ifndef EPOCHS
#define EPOCHS 3            /* lend and create only below this epoch of a segment */
#endif
#ifndef ATTACHES
#define ATTACHES 1          /* how often actor 2 tries */
#endif

#ifndef TAGS
#define TAGS 2              /* publications */
#endif

#ifndef LEFT_OUT
#define LEFT_OUT 0
#endif
byte left_out = LEFT_OUT;
#define NO_REWALK         (left_out ==  1)  /* who could not add its row tries again without looking for the name */
#define NO_LOOK_AGAIN     (left_out ==  2)  /* L7 does not look at the name once its lease is made */
#define WITHDRAW_LATE     (left_out ==  3)  /* the leases are looked at before the name is withdrawn */
#define FREE_ANY_NAME     (left_out ==  4)  /* the coordinator frees also the names of the living */
#define NAMES_OF_THE_DEAD (left_out ==  5)  /* the coordinator frees no names */
#define PUBLISH_AT_ONCE   (left_out ==  6)  /* what is published is written before the name is one's own */
#define LOOK_AT_LIST      (left_out ==  7)  /* T8 and T10 look only at leases that the owner has made */
#define LEASES_FIRST      (left_out ==  8)  /* T10 looks at the leases before it has seen the word retired */

#define PROMISE(condition, story) if :: !(condition) -> printf(story); assert(false) :: else fi

#if BIND
/* ---- two add one name, a third another one of the same bucket */
byte head = 0;              /* row + 1 */
byte next[3];
byte mine[2];

#define IS_X(r) ((r) == 1 || (r) == 2)     /* rows 1 and 2 are spares of those who want the name x, row 3 is another's */

proctype Binder(byte me) {
  byte first, at, found;
  bool has_walked = false;
  do
  :: mine[me] == 0 ->
     atomic { first = head; at = first; found = 0 };
     if
     :: has_walked && NO_REWALK
     :: else ->
        do
        :: at != 0 && found == 0 -> d_step { if :: IS_X(at) -> found = at :: else fi; at = next[at - 1] }
        :: else -> break
        od
     fi;
     has_walked = true;
     if
     :: found != 0 -> mine[me] = found
     :: else ->
        next[me] = first;
        if
        :: d_step { head == first -> head = me + 1; mine[me] = me + 1 }
        :: else
        fi
     fi
  :: else -> break
  od
}
proctype Other() {
  byte first;
  bool is_done = false;
  do
  :: !is_done ->
     first = head; next[2] = first;
     if :: d_step { head == first -> head = 3; is_done = true } :: else fi
  :: else -> break
  od
}
proctype Watch() {
end:
  timeout -> PROMISE(mine[0] == mine[1] && mine[0] != 0, "violated: N1, one name has two rows\n")
}
init {
  c_code { if (getenv("BATON_LEFT_OUT")) now.left_out = atoi(getenv("BATON_LEFT_OUT")); };
  atomic { run Binder(0); run Binder(1); run Other(); run Watch() }
}

#else
mtype = { FREE, OWNED, LENT, RETIRED, CLAIMED, PUBLISHING, PUBLISHED };
mtype = { IDLE, DESCRIBE, DESCRIBE_MORE, PUBLISH, LOOK, RECLAIM, READ, READ_MORE, READ_AGAIN, CLAIM, LOOK_AGAIN };
mtype = { STANDS, NAMES, ROWS, LEASES, SETTLED };

#define NOBODY 9
#define COORDINATOR 8
#define BORROWER 2

/* ---- the ledger */
typedef SegmentRow { mtype phase; byte owner; byte epoch }
SegmentRow segment[2];
byte home[2];
typedef Name { mtype phase; byte owner; byte epoch }
Name name;                  /* the segment that it names is the one of its owner */
byte first_field, second_field;   /* what is published, in two words */
typedef Lease { mtype phase; byte lender; byte segment; byte lend }
Lease lease;                /* the borrower's row */
byte life[3];
bool alive[3];

/* ---- what is in a process and dies with it */
mtype doing[3];
bool writes[2];             /* the publisher has the segment as its own */
byte published[2];          /* epoch of the name as this publisher knows it, or 0 */
byte reads = NOBODY;        /* which segment the borrower has mapped */
byte seen_owner, seen_epoch, seen_first, seen_second;
bool will_retire[2];

/* ---- the coordinator */
mtype settling[3];
bool saw_retired[2], saw_no_lease[2];

byte crashes = CRASHES, restarts = RESTARTS, attaches = ATTACHES;
byte tag = 0;               /* of a publication, another each time; for the assertions only */
byte published_tag, published_lend;
byte tag_of[2];

#define OTHER(x) (1 - (x))
#define IS_LENT(s) (segment[s].phase == LENT)
#define IS_OF_LEND(s) (lease.phase == CLAIMED && lease.segment == (s) && \
    (IS_LENT(s) && lease.lend == segment[s].epoch || segment[s].phase == RETIRED && lease.lend + 1 == segment[s].epoch))
#define HAS_LEASE(s) (!LOOK_AT_LIST && IS_OF_LEND(s))

inline check_use(s) {
  PROMISE(!(writes[s] && reads == s), "violated: I2, somebody reads what another may write\n")
}
inline check_unused(s) {
  PROMISE(reads != s, "violated: I5, memory is reused that somebody reads\n")
}

proctype Publisher(byte me) {
end:
  do
  /* T1 and T7 */
  :: d_step { alive[me] && doing[me] == IDLE && segment[me].phase == FREE && home[me] == me && segment[me].epoch < EPOCHS ->
       segment[me].phase = OWNED; segment[me].owner = me; segment[me].epoch++; writes[me] = true; check_use(me) }
  :: d_step { alive[me] && doing[me] == IDLE && writes[me] && segment[me].epoch < EPOCHS ->
       writes[me] = false; segment[me].phase = LENT; segment[me].epoch++;
       printf("publisher %d: T7, epoch %d\n", me, segment[me].epoch) }
  /* N1 */
  :: d_step { alive[me] && doing[me] == IDLE && IS_LENT(me) && segment[me].owner == me && published[me] == 0 && !PUBLISH_AT_ONCE &&
              name.phase == FREE && tag < TAGS ->
       name.phase = PUBLISHING; name.owner = me; name.epoch++; published[me] = name.epoch; tag++; tag_of[me] = tag;
       doing[me] = DESCRIBE; printf("publisher %d: N1, the name is its own\n", me) }
  :: d_step { alive[me] && doing[me] == IDLE && IS_LENT(me) && segment[me].owner == me && published[me] == 0 && PUBLISH_AT_ONCE &&
              tag < TAGS ->
       tag++; tag_of[me] = tag; doing[me] = DESCRIBE }
  :: d_step { alive[me] && doing[me] == DESCRIBE -> first_field = tag_of[me]; doing[me] = DESCRIBE_MORE }
  :: d_step { alive[me] && doing[me] == DESCRIBE_MORE -> second_field = segment[me].epoch; doing[me] = PUBLISH }
  :: d_step { alive[me] && doing[me] == PUBLISH ->
       if
       :: PUBLISH_AT_ONCE && name.phase != FREE
       :: else ->
          PROMISE(PUBLISH_AT_ONCE || name.phase == PUBLISHING && name.owner == me, "violated: N1, the name went to another\n");
          name.phase = PUBLISHED; name.owner = me; name.epoch++; published[me] = name.epoch; published_tag = tag_of[me]; published_lend = segment[me].epoch;
          printf("publisher %d: N1, published\n", me)
       fi;
       doing[me] = IDLE }
  /* N2, then the look at the leases, then T8 or T9 */
  :: d_step { alive[me] && doing[me] == IDLE && IS_LENT(me) && segment[me].owner == me && !WITHDRAW_LATE ->
       if :: published[me] != 0 && name.phase == PUBLISHED && name.owner == me && name.epoch == published[me] ->
             name.phase = FREE; name.owner = NOBODY; name.epoch++; printf("publisher %d: N2\n", me)
          :: else -> PROMISE(published[me] == 0, "violated: N2, its name was taken from somebody who lives\n")
       fi;
       published[me] = 0;
       doing[me] = LOOK }
  :: d_step { alive[me] && doing[me] == IDLE && IS_LENT(me) && segment[me].owner == me && WITHDRAW_LATE && published[me] != 0 ->
       doing[me] = LOOK }
  :: d_step { alive[me] && doing[me] == LOOK -> /* retire whatever is out */
       segment[me].phase = RETIRED; segment[me].epoch++; doing[me] = IDLE; printf("publisher %d: T9\n", me) }
  :: d_step { alive[me] && doing[me] == LOOK && !HAS_LEASE(me) -> doing[me] = RECLAIM }
  :: d_step { alive[me] && doing[me] == LOOK && HAS_LEASE(me) -> doing[me] = IDLE }
  :: d_step { alive[me] && doing[me] == RECLAIM ->
       segment[me].phase = OWNED; segment[me].epoch++; writes[me] = true; doing[me] = IDLE;
       if :: WITHDRAW_LATE && published[me] != 0 -> name.phase = FREE; name.owner = NOBODY; name.epoch++; published[me] = 0
          :: else
       fi;
       printf("publisher %d: T8\n", me);
       check_use(me) }
  /* T10 by its home */
  :: d_step { alive[me] && doing[me] == IDLE && home[me] == me && segment[me].phase == RETIRED && !HAS_LEASE(me) ->
       segment[me].phase = FREE; segment[me].epoch++; printf("publisher %d: T10\n", me); check_unused(me) }
  :: d_step { alive[me] && crashes > 0 ->
       crashes--; alive[me] = false; doing[me] = IDLE; writes[me] = false; published[me] = 0;
       printf("publisher %d: dies\n", me) }
  od
}

proctype Borrower() {
end:
  do
  /* L7: the word, what is published, the word again; then the lease; then the look */
  :: d_step { alive[BORROWER] && doing[BORROWER] == IDLE && attaches > 0 && name.phase == PUBLISHED && lease.phase == FREE ->
       attaches--; seen_owner = name.owner; seen_epoch = name.epoch; doing[BORROWER] = READ }
  :: d_step { alive[BORROWER] && doing[BORROWER] == READ -> seen_first = first_field; doing[BORROWER] = READ_MORE }
  :: d_step { alive[BORROWER] && doing[BORROWER] == READ_MORE ->
       seen_second = second_field; doing[BORROWER] = READ_AGAIN }
  :: d_step { alive[BORROWER] && doing[BORROWER] == READ_AGAIN ->
       if
       :: name.phase == PUBLISHED && name.epoch == seen_epoch ->
          PROMISE(seen_first == published_tag && seen_second == published_lend,
                  "violated: N1, what is read of a publication is another's\n");
          doing[BORROWER] = CLAIM
       :: else -> doing[BORROWER] = IDLE
       fi }
  :: d_step { alive[BORROWER] && doing[BORROWER] == CLAIM ->
       lease.lender = seen_owner; lease.segment = seen_owner; lease.lend = seen_second; lease.phase = CLAIMED;
       doing[BORROWER] = LOOK_AGAIN; printf("borrower: L7 of the segment of %d\n", seen_owner) }
  :: d_step { alive[BORROWER] && doing[BORROWER] == LOOK_AGAIN &&
              (NO_LOOK_AGAIN || name.phase == PUBLISHED && name.epoch == seen_epoch &&
                                segment[seen_owner].phase == LENT && segment[seen_owner].epoch == lease.lend) ->
       reads = seen_owner; doing[BORROWER] = IDLE; printf("borrower: reads the segment of %d\n", seen_owner);
       PROMISE(segment[reads].phase != FREE, "violated: I5, somebody attaches to memory that is free\n");
       check_use(reads) }
  :: d_step { alive[BORROWER] && doing[BORROWER] == LOOK_AGAIN && !NO_LOOK_AGAIN &&
              !(name.phase == PUBLISHED && name.epoch == seen_epoch &&
                segment[seen_owner].phase == LENT && segment[seen_owner].epoch == lease.lend) ->
       lease.phase = FREE; doing[BORROWER] = IDLE; printf("borrower: sees that the name is gone\n") }
  :: d_step { alive[BORROWER] && reads != NOBODY -> reads = NOBODY; lease.phase = FREE; printf("borrower: L4\n") }
  :: d_step { alive[BORROWER] && crashes > 0 ->
       crashes--; alive[BORROWER] = false; reads = NOBODY; doing[BORROWER] = IDLE; printf("borrower: dies\n") }
  od
}

#define FREE_NAMES(x) \
       if :: name.phase != FREE && (name.owner == x || FREE_ANY_NAME) && !NAMES_OF_THE_DEAD -> \
             name.phase = FREE; name.owner = NOBODY; name.epoch++; printf("coordinator: frees the name of %d\n", x) \
          :: else \
       fi

#define DEATH_STEPS(x) \
  :: d_step { settling[x] == STANDS && !alive[x] && life[x] != 0 -> \
       life[x] = 0; settling[x] = NAMES } \
  :: d_step { settling[x] == NAMES -> FREE_NAMES(x); settling[x] = ROWS } \
  :: d_step { settling[x] == ROWS -> \
       if :: x < 2 -> \
             if :: (segment[x].phase == OWNED || segment[x].phase == LENT) -> \
                   segment[x].phase = RETIRED; segment[x].epoch++; printf("coordinator: T9 of the segment of %d\n", x) \
                :: else \
             fi; home[x] = COORDINATOR \
          :: else \
       fi; settling[x] = LEASES } \
  :: d_step { settling[x] == LEASES -> \
       if :: x == BORROWER && lease.phase == CLAIMED -> lease.phase = FREE; printf("coordinator: L5\n") :: else fi; \
       settling[x] = SETTLED } \
  :: d_step { settling[x] == SETTLED && !alive[x] && restarts > 0 && (x == BORROWER || home[x] == NOBODY) -> \
       restarts--; alive[x] = true; life[x] = 1; settling[x] = STANDS; \
       if :: x < 2 -> home[x] = x :: else fi; printf("coordinator: %d lives again\n", x) }

/* T10 of what a dead home leaves: the word, then the leases, then the CAS */
#define HOME_STEPS(s) \
  :: d_step { home[s] == COORDINATOR && segment[s].phase == RETIRED && !saw_retired[s] && !LEASES_FIRST -> saw_retired[s] = true } \
  :: d_step { home[s] == COORDINATOR && saw_retired[s] && !saw_no_lease[s] && !HAS_LEASE(s) -> saw_no_lease[s] = true } \
  :: d_step { home[s] == s && LEASES_FIRST && !alive[s] && !IS_OF_LEND(s) && !saw_no_lease[s] -> saw_no_lease[s] = true; saw_retired[s] = true } \
  :: d_step { home[s] == COORDINATOR && saw_retired[s] && saw_no_lease[s] && segment[s].phase == RETIRED -> \
       segment[s].phase = FREE; segment[s].epoch++; saw_retired[s] = false; saw_no_lease[s] = false; home[s] = NOBODY; \
       printf("coordinator: T10 of the segment of %d\n", s); check_unused(s) }

proctype Coordinator() {
end:
  do
  DEATH_STEPS(0)
  DEATH_STEPS(1)
  DEATH_STEPS(2)
  HOME_STEPS(0)
  HOME_STEPS(1)
  /* A dead actor's block in which nothing was ever in use. */
  :: d_step { home[0] == COORDINATOR && segment[0].phase == FREE -> home[0] = NOBODY }
  :: d_step { home[1] == COORDINATOR && segment[1].phase == FREE -> home[1] = NOBODY }
  od
}

proctype Watch() {
end:
  timeout ->
    d_step {
      printf("watch: nothing moves any more\n");
      PROMISE(name.phase == FREE || alive[name.owner], "violated: I6, a name is a dead actor's\n");
      PROMISE(lease.phase == FREE || alive[BORROWER], "violated: I6, a lease is a dead actor's\n");
      PROMISE(alive[0] || segment[0].phase == FREE, "violated: I8, a segment of the dead never becomes free\n");
      PROMISE(alive[1] || segment[1].phase == FREE, "violated: I8, a segment of the dead never becomes free\n")
    }
}

init {
  c_code { if (getenv("BATON_LEFT_OUT")) now.left_out = atoi(getenv("BATON_LEFT_OUT")); };
  d_step {
    segment[0].phase = FREE; segment[1].phase = FREE; segment[1].owner = 1; home[0] = 0; home[1] = 1;
    name.phase = FREE; name.owner = NOBODY; lease.phase = FREE;
    life[0] = 1; life[1] = 1; life[2] = 1; alive[0] = true; alive[1] = true; alive[2] = true;
    doing[0] = IDLE; doing[1] = IDLE; doing[2] = IDLE; settling[0] = STANDS; settling[1] = STANDS; settling[2] = STANDS
  }
  atomic { run Publisher(0); run Publisher(1); run Borrower(); run Coordinator(); run Watch() }
}
#endif
