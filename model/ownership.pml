/* The ledger's protocol (docs/ownership.md) as a model for spin. model/run.py runs it; model/README.md says what it
   covers and what it leaves out.

   Who takes part: N actor numbers, each of which lives, dies and lives again; the coordinator; a network that
   carries messages; fate, which may decide that from here on nothing goes wrong any more.

   How it is written: an actor is a loop, and what it is in the middle of stands in `doing`. So each option of the
   loop is one atomic step of the protocol, and the actor may die between any two.

   How liveness is checked: nothing in the model can go on for ever (spin shows that there is no cycle), so
   whatever is fair comes to an end, and what must happen eventually has happened there: see Watch. Only the
   configuration BUSY has cycles; its liveness is stated in LTL and checked under weak fairness.

   What holds always is asserted at the step that could break it, with the number of the invariant beside it. */

/* ---- the size of the world */
#ifndef N
#define N 2                 /* actor numbers, 0 to N-1 */
#endif
#ifndef S
#define S 1                 /* segment rows */
#endif
#ifndef L
#define L 0                 /* lease rows */
#endif
#ifndef EPOCHS
#define EPOCHS 6            /* create, offer and lend only below this epoch of a segment row */
#endif
#ifndef LEASE_EPOCHS
#define LEASE_EPOCHS 4      /* grant only below this epoch of a lease row */
#endif
#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef RESTARTS
#define RESTARTS 1
#endif
#ifndef GIVEUPS
#define GIVEUPS 1           /* how often a sender loses its patience and withdraws what it sent */
#endif
#ifndef REFUSALS
#define REFUSALS 1          /* how often a receiver refuses what it was sent */
#endif
#ifndef GIFTS
#define GIFTS 1             /* 0: nothing is given away, only lent */
#endif
#ifndef SLICES
#define SLICES 0            /* 1: leases may be exclusive slices */
#endif
#ifndef RANGES
#define RANGES 0            /* 1: leases and slices may be of one half of a segment */
#endif
#ifndef SELF
#define SELF 0              /* 1: an actor may give to itself */
#endif
#ifndef PAIR
#define PAIR 0              /* 1: gifts go two in a message, segments 0 and 1 */
#endif
#ifndef BUSY
#define BUSY 0              /* 1: actor 1's inbox gets plain commands without end */
#endif
#ifndef WIRE
#define WIRE 1              /* messages on their way from one actor to another */
#endif
#ifndef INBOX
#define INBOX 2             /* messages an inbox holds */
#endif
#define ALL 511             /* who may, a bit for each actor: */
#ifndef CREATORS
#define CREATORS ALL        /* create segments */
#endif
#ifndef LENDERS
#define LENDERS ALL         /* lend */
#endif
#ifndef MORTALS
#define MORTALS ALL         /* die */
#endif

/* ---- the mutants: each leaves out one rule, and must be caught. One is chosen by -DLEFT_OUT=number, or, so that
   all can share one compilation, by the environment variable BATON_LEFT_OUT. run.py reads this list. */
#ifndef LEFT_OUT
#define LEFT_OUT 0
#endif
byte left_out = LEFT_OUT;
#define ACCEPT_ANY_EPOCH      (left_out ==  1)  /* T3 does not compare the epoch */
#define CLAIM_ANY_EPOCH       (left_out ==  2)  /* L2 does not compare the epoch */
#define SETTLE_UNDRAINED      (left_out ==  3)  /* T6 and L6 do not wait for Drained */
#define DEATH_BY_TIMER        (left_out ==  4)  /* a frozen actor is declared dead, and goes on */
#define RECYCLE_LEASED        (left_out ==  5)  /* T10 does not look at the leases */
#define RECLAIM_LEASED        (left_out ==  6)  /* T8 does not look at the leases */
#define LENT_TRAVELS          (left_out ==  7)  /* T2 also of what is lent */
#define NO_LOOK               (left_out ==  8)  /* the sender does not look at the heir's life after T2 and L1 */
#define LOOK_AT_ANY_LIFE      (left_out ==  9)  /* the sender is content if some life stands, not the one it knows */
#define LIFE_LAST             (left_out == 10)  /* the life is taken out after the rows have been walked */
#define REUSE_BEFORE_WALK     (left_out == 11)  /* the number lives again before its rows are walked */
#define REUSE_BEFORE_DRAINED  (left_out == 12)  /* the number lives again after the walk, before T6 and L6 */
#define BOUNCE_TO_THE_DEAD    (left_out == 13)  /* T5 does not ask whether the sender still lives */
#define BOUNCE_AT_ANY_EPOCH   (left_out == 14)  /* the sender takes any row that it owns for its bounce */
#define OWN_GIFT_REMEMBERED   (left_out == 15)  /* who accepts its own gift goes on waiting for it to move on */
#define DRAINED_BY_INBOX      (left_out == 16)  /* Drained when the inbox is empty, whatever is still on its way */
#define DRAINED_BACKWARDS     (left_out == 17)  /* the inbox is found empty first, then the end is read */
#define DRAINED_IN_HAND       (left_out == 18)  /* Drained while a message has left the inbox and is not yet decided */
#define DRAINED_WHEN_EMPTY    (left_out == 19)  /* Drained only when the inbox is found empty, also when it never is */
#define SETTLE_CLAIMED        (left_out == 20)  /* L6 also of what has been claimed */
#define HOME_STAYS_DEAD       (left_out == 21)  /* the coordinator does not become home of a dead actor's blocks */
#define NO_BOUNCE             (left_out == 22)  /* T5 is left out */
#define NO_LEASE_SETTLE       (left_out == 23)  /* L5 is left out */
#define SLICES_OVERLAP        (left_out == 24)  /* a slice is granted while a lease of the same bytes is out */
#define PAIR_EACH_ALONE       (left_out == 25)  /* the sender withdraws a second gift though the first was accepted */
#define PAIR_LAST_FIRST       (left_out == 26)  /* the heir accepts the second gift of a message first */
#define PAIR_BOUNCED_ALONE    (left_out == 27)  /* the second gift does not follow a first that is found bounced */
#define I6_TO_THE_LETTER      (left_out == 28)  /* no exception: no row at all names who has been settled */
#define RECYCLE_BY_LIST       (left_out == 29)  /* T10 follows `first lease`; a freed lease row may join another list */
#define DRAINED_UNLOOKED      (left_out == 30)  /* any wait, also one without the inbox, counts as a look at it */
#define STARTS_COMPARED       (left_out == 31)  /* L1 takes two ranges that begin at different bytes for apart */

#define MARK_LATE             (left_out == 32)  /* a block is marked after the look at the heir's life */
#define UNMARKED              (left_out == 33)  /* T2 and L1 mark nothing */
#define OWN_BLOCKS_UNSEEN     (left_out == 34)  /* the walk looks at what is marked only, not at the actor's own blocks */
#define CLEARED_TOO_LATE      (left_out == 35)  /* the marks are cleared after the number lives again, not before */

#define NOBODY 100
#define COORDINATOR 99
#define NOWHERE 98
#define ACTOR_SEGMENT(a, s) ((a) * S + (s))
#define ACTOR_LEASE(a, l) ((a) * L + (l))
#define FROM_TO(a, b) ((a) * N + (b))
#define LEASES (L > 0)
#if L > 0
#define LEASE_ROWS L
#else
#define LEASE_ROWS 1
#endif

mtype = { FREE, OWNED, OFFERED, LENT, RETIRED, GRANTED, CLAIMED };  /* phases of a word */
mtype = { GIFT, LEASE };                                            /* what a message brings */
mtype = { IDLE, MARKED, OFFER_SECOND, LOOK, SEND, UNDO_SECOND, HAND, ACCEPT_SECOND }; /* what an actor is in the middle of */
mtype = { STANDS, WALKED, WAITS, CLOSED, SETTLED };                 /* how far the settling of a death has come */

/* ---- the ledger */
typedef SegmentRow { mtype phase; byte owner; byte heir; byte epoch; byte first }
typedef LeaseRow {
  mtype phase; byte lender; byte borrower; byte epoch; byte segment; bit is_slice; byte range; byte next
}
SegmentRow segment[S];
LeaseRow lease[LEASE_ROWS];
byte segment_home = NOBODY;     /* one block of segment rows, one of lease rows */
byte lease_home = NOBODY;
byte life[N];                   /* the actor row: which life stands, 0 for none */
byte marks[N];                  /* likewise: which rows of others may name it, segments and leases, a bit each */
bit to_clear[N];                /* only with CLEARED_TOO_LATE: its marks are still to be cleared */

/* ---- what only the kernel knows */
bool alive[N];
byte incarnation[N];

/* ---- what is in an actor's process and dies with it */
byte held[N * S];               /* epoch of a Segment in its hand, or 0 */
byte lent[N * S];               /* epoch of a Lent in its hand, or 0 */
byte sent[N * S];               /* epoch of a gift that it waits to see move on, or 0 */
#if L > 0
byte granted[N * L];            /* the same of a lease it granted */
byte borrowed[N * L];           /* epoch of a Lease or Slice in its hand, or 0 */
#endif
byte known[N * N];              /* the life of another that its Ref names */
mtype doing[N];
mtype kind[N];                  /* of the message it is about to send or has just taken */
byte row[N], epoch[N], second[N], peer[N]; /* likewise; `second` is the epoch of the second gift */
/* A message: kind, row, epoch, second, from. The inbox is all that is between the socket and on(). */
chan inbox[N] = [INBOX] of { mtype, byte, byte, byte, byte };
byte end_read[N];               /* for each dead peer one bit: the end of its connection has been read */
byte has_looked[N];             /* likewise: after that a wait has looked for what came to the inbox */
bit is_shut[N];                 /* the inbox was found empty, and nothing more is seen in it before the next look */
#if BUSY
bool has_plain;                 /* actor 1's inbox holds a plain command */
bool plain_was_last;            /* whose turn it is: the inbox takes from its connections in turn */
byte still_to_take;             /* messages that may have come before the end of actor 0's connection */
#endif

/* ---- on the way: in the sender's process, the kernel's buffer or the receiver's */
chan wire[N * N] = [WIRE] of { mtype, byte, byte, byte, byte };
byte refused[S];                /* epoch of a gift whose refusal has reached its sender */
byte lease_refused[LEASE_ROWS];

/* ---- the coordinator */
mtype settling[N];
byte asked[N];                  /* for each dead actor the peers that still owe Drained, a bit each */
byte noted[N];                  /* likewise: what the walk found in transit from it, as marks are numbered */
byte walking = NOBODY;          /* whose rows are being walked */
byte at = 0;                    /* which row is next */

/* ---- fate */
byte crashes = CRASHES, restarts = RESTARTS, giveups = GIVEUPS, refusals = REFUSALS;
byte timers = 0;

/* ---- for the assertions only */
byte meant_for[S];              /* the life of the heir that an offer was made to */
byte i, j, k, writers, readers, holders, used, half;  /* zero between two steps */
bool was_mine;                                  /* likewise */

#define IS_OPEN(l) (lease[l].phase != FREE)
#define IS_OPEN_OF(l, s) (IS_OPEN(l) && lease[l].segment == (s))
/* A range is a set of halves: a bit for the first, one for the second. */
#define FIRST_HALF 1
#define SECOND_HALF 2
#define WHOLE 3
#define MEETS(a, b) (((a) & (b)) != 0 && !(STARTS_COMPARED && ((a) & FIRST_HALF) != ((b) & FIRST_HALF)))
#define IS_OPEN_IN(l, s, range_) (IS_OPEN_OF(l, s) && MEETS(lease[l].range, range_))
#define IS_SLICE_IN(l, s, range_) (IS_OPEN_IN(l, s, range_) && lease[l].is_slice)
#if L == 0
#define HAS_LEASE(s) false
#elif L == 1
#define HAS_LEASE(s) IS_OPEN_OF(0, s)
#define HAS_LEASE_IN(s, range_) IS_OPEN_IN(0, s, range_)
#define HAS_SLICE_IN(s, range_) IS_SLICE_IN(0, s, range_)
#else
#define HAS_LEASE(s) (IS_OPEN_OF(0, s) || IS_OPEN_OF(1, s))
#define HAS_LEASE_IN(s, range_) (IS_OPEN_IN(0, s, range_) || IS_OPEN_IN(1, s, range_))
#define HAS_SLICE_IN(s, range_) (IS_SLICE_IN(0, s, range_) || IS_SLICE_IN(1, s, range_))
#endif
#if L > 1
#define LIST_HAS_LEASE(s) (segment[s].first != NOWHERE && (IS_OPEN_OF(segment[s].first, s) || \
    lease[segment[s].first].next != NOWHERE && IS_OPEN_OF(lease[segment[s].first].next, s)))
#else
#define LIST_HAS_LEASE(s) HAS_LEASE(s)
#endif
#define NO_LEASE_IN_THE_WAY(s) (RECYCLE_LEASED || \
    !RECYCLE_BY_LIST && !HAS_LEASE(s) || RECYCLE_BY_LIST && !LIST_HAS_LEASE(s))

#define OWNS(x, s) (segment[s].owner == (x) && (segment[s].phase == OWNED || segment[s].phase == LENT))
#define IS_OFFER(s, x, e) (segment[s].phase == OFFERED && segment[s].owner == (x) && segment[s].epoch == (e))
#define IS_GRANT(l, x, e) (lease[l].phase == GRANTED && lease[l].lender == (x) && lease[l].epoch == (e))
#define BIT(x) (1 << (x))
/* A block has one mark for each actor; here each row has, which is stricter. */
#define SEGMENT_MARK(s) BIT(s)
#define LEASE_MARK(l) BIT(S + (l))
#define MAY_NAME(x, mark, home) ((marks[x] & (mark)) || (home) == (x) && !OWN_BLOCKS_UNSEEN)
#define MAY(whom, x) ((whom) & BIT(x))
#define PROMISE(condition, story) if :: !(condition) -> printf(story); assert(false) :: else fi

/* I1, I2: whoever thinks that it may write is alone in each half; whoever reads meets no writer there. */
inline check_use(s) {
  half = FIRST_HALF;
  do
  :: half <= FIRST_HALF + RANGES ->
  writers = 0; readers = 0; holders = 0; k = 0;
  do
  :: k < N ->
     if :: held[ACTOR_SEGMENT(k, s)] != 0 -> writers++; holders++ :: else fi;
     if :: lent[ACTOR_SEGMENT(k, s)] != 0 -> holders++ :: else fi;
     k++
  :: else -> break
  od;
#if L > 0
  k = 0;
  do
  :: k < N * L ->
     if
     :: borrowed[k] != 0 && lease[k % L].segment == s && (lease[k % L].range & half) != 0 ->
        if :: lease[k % L].is_slice -> writers++ :: else -> readers++ fi
     :: else
     fi;
     k++
  :: else -> break
  od;
#endif
  PROMISE(holders <= 1, "violated: I1, a segment has two owners\n");
  PROMISE(writers <= 1 && (writers == 0 || readers == 0),
          "violated: I2, somebody writes what another writes or reads\n");
  half++
  :: else -> break
  od;
  k = 0; writers = 0; readers = 0; holders = 0; half = 0
}

/* I5: nobody uses memory that is unlinked or made ready for reuse, and no lease on it lives. */
inline check_unused(s) {
  k = 0;
  do
  :: k < N ->
     PROMISE(held[ACTOR_SEGMENT(k, s)] == 0 && lent[ACTOR_SEGMENT(k, s)] == 0,
             "violated: I2, memory is reused that somebody holds\n");
     k++
  :: else -> break
  od;
#if L > 0
  k = 0;
  do
  :: k < N * L ->
     PROMISE(borrowed[k] == 0 || lease[k % L].segment != s, "violated: I5, memory is reused that somebody borrows\n");
     k++
  :: else -> break
  od;
#endif
  PROMISE(!HAS_LEASE(s), "violated: I5, memory is reused while a lease on it lives\n");
  k = 0
}

/* What has reached a living receiver from a dead sender is never settled over its head. */
#define IS_UNDER_WAY(what, r, e, y) \
  (inbox[y] ?? [what, eval(r), eval(e), _, _] || IS_ON_A_WIRE(what, r, e, y) || \
   alive[y] && doing[y] == HAND && kind[y] == what && row[y] == r && epoch[y] == e)
#define IS_ON(w, what, r, e) (wire[w] ?? [what, eval(r), eval(e), _, _])
#if N == 2
#define IS_ON_A_WIRE(what, r, e, y) (IS_ON(FROM_TO(0, y), what, r, e) || IS_ON(FROM_TO(1, y), what, r, e))
#else
#define IS_ON_A_WIRE(what, r, e, y) \
  (IS_ON(FROM_TO(0, y), what, r, e) || IS_ON(FROM_TO(1, y), what, r, e) || IS_ON(FROM_TO(2, y), what, r, e))
#endif

#define IS_SECOND_UNDER_WAY(e, y) \
  (inbox[y] ?? [GIFT, 0, _, eval(e), _] || \
   wire[FROM_TO(0, y)] ?? [GIFT, 0, _, eval(e), _] || wire[FROM_TO(1, y)] ?? [GIFT, 0, _, eval(e), _] || \
   alive[y] && (doing[y] == HAND || doing[y] == ACCEPT_SECOND) && second[y] == e)

/* ---- segment words */
inline hold(me, s) {            /* the word has just become owned(me) */
  held[ACTOR_SEGMENT(me, s)] = segment[s].epoch;
  check_use(s)
}

inline owner_moves(me, s, from, to) {  /* T2, T7, T8, T9 by an owner; nobody else can have moved the word (I1) */
  PROMISE(segment[s].owner == me && segment[s].phase == from, "violated: I1, an owner is owner no more\n");
  segment[s].phase = to;
  segment[s].epoch++
}

inline forget_owned(me, s) { held[ACTOR_SEGMENT(me, s)] = 0; lent[ACTOR_SEGMENT(me, s)] = 0 }

inline withdraw(me, s) {        /* T4, or it is found that T3 or T5 came first */
  was_mine = IS_OFFER(s, me, sent[ACTOR_SEGMENT(me, s)]);
  if
  :: IS_OFFER(s, me, sent[ACTOR_SEGMENT(me, s)]) ->
     segment[s].phase = OWNED; segment[s].epoch++;
     printf("actor %d: T4 withdraws segment %d, epoch %d\n", me, s, segment[s].epoch);
     hold(me, s)
  :: else ->
     if
     :: segment[s].phase == OWNED && segment[s].owner == me && segment[s].epoch == sent[ACTOR_SEGMENT(me, s)] + 1 ->
        printf("actor %d: finds segment %d bounced, epoch %d\n", me, s, segment[s].epoch);
        hold(me, s)
     :: else -> printf("actor %d: cannot withdraw segment %d, it has moved on\n", me, s)
     fi
  fi;
  sent[ACTOR_SEGMENT(me, s)] = 0;
  if :: refused[s] < segment[s].epoch -> refused[s] = 0 :: else fi
}

#if L > 0
inline lease_withdraw(me, l) {  /* L3, or it is found that L2 or L5 came first */
  if
  :: IS_GRANT(l, me, granted[ACTOR_LEASE(me, l)]) ->
     lease[l].phase = FREE; lease[l].epoch++;
     printf("actor %d: L3 withdraws lease %d\n", me, l)
  :: else -> printf("actor %d: cannot withdraw lease %d, it has moved on\n", me, l)
  fi;
  granted[ACTOR_LEASE(me, l)] = 0;
  lease_refused[l] = 0
}
#endif

/* ---- what an actor does, a row or a peer at a time */
/* A message with two gifts is decided by the first: when that comes back, by T4 or T5, the second follows. */
#if PAIR
#define IS_FIRST(s) ((s) == 0)
#define SECOND_FOLLOWS(me) \
       if \
       :: (held[ACTOR_SEGMENT(me, 0)] != 0 && (was_mine || !PAIR_BOUNCED_ALONE) || PAIR_EACH_ALONE) && \
          sent[ACTOR_SEGMENT(me, 1)] != 0 -> doing[me] = UNDO_SECOND \
       :: else -> NOW_IDLE(me) \
       fi; \
       was_mine = false
#else
#define IS_FIRST(s) true
#define SECOND_FOLLOWS(me) NOW_IDLE(me); was_mine = false
#endif
#define CAN_START(me) (alive[me] && doing[me] == IDLE)
#define SEES_HEIR(me) (NO_LOOK || \
    (LOOK_AT_ANY_LIFE && life[peer[me]] != 0) || life[peer[me]] == known[FROM_TO(me, peer[me])])
#define IS_AT_HOME(me) (alive[peer[me]] && incarnation[peer[me]] == known[FROM_TO(me, peer[me])])

#define SEGMENT_STEPS(me, s) \
  :: d_step { CAN_START(me) && MAY(CREATORS, me) && segment_home == me && segment[s].phase == FREE && \
              segment[s].epoch < EPOCHS -> \
       segment[s].phase = OWNED; segment[s].owner = me; segment[s].epoch++; segment[s].first = NOWHERE; \
       printf("actor %d: T1 creates segment %d, epoch %d\n", me, s, segment[s].epoch); \
       hold(me, s) } \
  :: d_step { CAN_START(me) && held[ACTOR_SEGMENT(me, s)] != 0 && LEASES && MAY(LENDERS, me) && \
              segment[s].epoch < EPOCHS -> \
       owner_moves(me, s, OWNED, LENT); \
       held[ACTOR_SEGMENT(me, s)] = 0; lent[ACTOR_SEGMENT(me, s)] = segment[s].epoch; segment[s].first = NOWHERE; \
       printf("actor %d: T7 lends segment %d\n", me, s) } \
  :: d_step { CAN_START(me) && lent[ACTOR_SEGMENT(me, s)] != 0 && (RECLAIM_LEASED || !HAS_LEASE(s)) && \
              segment[s].epoch < EPOCHS -> \
       owner_moves(me, s, LENT, OWNED); \
       lent[ACTOR_SEGMENT(me, s)] = 0; \
       printf("actor %d: T8 reclaims segment %d\n", me, s); \
       hold(me, s) } \
  :: d_step { CAN_START(me) && (held[ACTOR_SEGMENT(me, s)] != 0 || lent[ACTOR_SEGMENT(me, s)] != 0) -> \
       if :: held[ACTOR_SEGMENT(me, s)] != 0 -> owner_moves(me, s, OWNED, RETIRED) \
          :: else -> owner_moves(me, s, LENT, RETIRED) fi; \
       forget_owned(me, s); \
       printf("actor %d: T9 retires segment %d\n", me, s) } \
  :: d_step { CAN_START(me) && segment_home == me && segment[s].phase == RETIRED && NO_LEASE_IN_THE_WAY(s) -> \
       printf("actor %d: T10 recycles segment %d\n", me, s); \
       check_unused(s); \
       segment[s].phase = FREE; segment[s].owner = 0; segment[s].heir = 0; segment[s].epoch++ } \
  :: d_step { CAN_START(me) && sent[ACTOR_SEGMENT(me, s)] != 0 && segment[s].epoch != sent[ACTOR_SEGMENT(me, s)] && \
              !(BOUNCE_AT_ANY_EPOCH && OWNS(me, s)) -> \
       if \
       :: segment[s].phase == OWNED && segment[s].owner == me && segment[s].epoch == sent[ACTOR_SEGMENT(me, s)] + 1 -> \
          printf("actor %d: gets segment %d back, bounced, epoch %d\n", me, s, segment[s].epoch); \
          PROMISE(held[ACTOR_SEGMENT(me, s)] == 0, "violated: I3, a gift comes back to its holder\n"); \
          hold(me, s) \
       :: else -> printf("actor %d: sees that segment %d has been accepted\n", me, s) \
       fi; \
       sent[ACTOR_SEGMENT(me, s)] = 0 } \
  :: d_step { BOUNCE_AT_ANY_EPOCH && CAN_START(me) && sent[ACTOR_SEGMENT(me, s)] != 0 && OWNS(me, s) -> \
       printf("actor %d: takes segment %d for a bounce\n", me, s); \
       PROMISE(held[ACTOR_SEGMENT(me, s)] == 0, "violated: I3, a gift comes back to its holder\n"); \
       hold(me, s); sent[ACTOR_SEGMENT(me, s)] = 0 } \
  :: d_step { CAN_START(me) && sent[ACTOR_SEGMENT(me, s)] != 0 && segment[s].epoch == sent[ACTOR_SEGMENT(me, s)] && \
              refused[s] == sent[ACTOR_SEGMENT(me, s)] && IS_FIRST(s) -> \
       withdraw(me, s); SECOND_FOLLOWS(me) } \
  :: d_step { CAN_START(me) && sent[ACTOR_SEGMENT(me, s)] != 0 && giveups > 0 && IS_FIRST(s) -> \
       giveups--; printf("actor %d: loses its patience\n", me); \
       withdraw(me, s); SECOND_FOLLOWS(me) }

#if PAIR
#define MAY_OFFER(me, s) (s == 0 && held[ACTOR_SEGMENT(me, 1)] != 0 && segment[1].epoch < EPOCHS)
#define AFTER_OFFER OFFER_SECOND
#else
#define MAY_OFFER(me, s) GIFTS
#define AFTER_OFFER LOOK
#endif
#if PAIR
#define OFFER_MARKS(s) (SEGMENT_MARK(0) | SEGMENT_MARK(1))
#else
#define OFFER_MARKS(s) SEGMENT_MARK(s)
#endif
#define OFFER_STEP(me, to, s) \
  :: d_step { CAN_START(me) && MAY_OFFER(me, s) && known[FROM_TO(me, to)] != 0 && \
              (held[ACTOR_SEGMENT(me, s)] != 0 || (LENT_TRAVELS && lent[ACTOR_SEGMENT(me, s)] != 0)) && \
              segment[s].epoch < EPOCHS -> \
       if :: !UNMARKED && !MARK_LATE -> marks[to] = marks[to] | OFFER_MARKS(s) :: else fi; \
       doing[me] = MARKED; kind[me] = GIFT; row[me] = s; peer[me] = to } \
  :: d_step { alive[me] && doing[me] == MARKED && kind[me] == GIFT && row[me] == s && peer[me] == to -> \
       if :: held[ACTOR_SEGMENT(me, s)] != 0 -> owner_moves(me, s, OWNED, OFFERED) \
          :: else -> owner_moves(me, s, LENT, OFFERED) fi; \
       printf("actor %d: T2 offers segment %d to %d, epoch %d\n", me, s, to, segment[s].epoch); \
       PROMISE(!HAS_LEASE(s), "violated: I4, a lent segment travels\n"); \
       segment[s].heir = to; meant_for[s] = known[FROM_TO(me, to)]; \
       forget_owned(me, s); sent[ACTOR_SEGMENT(me, s)] = segment[s].epoch; \
       doing[me] = AFTER_OFFER; kind[me] = GIFT; row[me] = s; epoch[me] = segment[s].epoch; peer[me] = to }

#define GRANT_STEP(me, to, s, l, slice) GRANT_RANGE(me, to, s, l, slice, WHOLE)
#define GRANT_HALVES(me, to, s, l, slice) \
  GRANT_RANGE(me, to, s, l, slice, FIRST_HALF) GRANT_RANGE(me, to, s, l, slice, SECOND_HALF)
#define GRANT_RANGE(me, to, s, l, slice, range_) \
  :: d_step { CAN_START(me) && lent[ACTOR_SEGMENT(me, s)] != 0 && known[FROM_TO(me, to)] != 0 && \
              lease_home == me && lease[l].phase == FREE && \
              lease[l].epoch < LEASE_EPOCHS && (slice == 0 || SLICES) && \
              (SLICES_OVERLAP || (slice == 1 && !HAS_LEASE_IN(s, range_)) || \
               (slice == 0 && !HAS_SLICE_IN(s, range_))) -> \
       if \
       :: RECYCLE_BY_LIST && !(lease[l].segment == s && segment[s].first != NOWHERE && \
          (segment[s].first == l || lease[segment[s].first].next == l)) -> \
          lease[l].next = segment[s].first; segment[s].first = l \
       :: else \
       fi; \
       lease[l].segment = s; lease[l].is_slice = slice; lease[l].range = range_; \
       if :: !UNMARKED && !MARK_LATE -> marks[to] = marks[to] | LEASE_MARK(l) :: else fi; \
       doing[me] = MARKED; kind[me] = LEASE; row[me] = l; peer[me] = to }

#define GRANTS_MARKED(me) \
  :: d_step { alive[me] && doing[me] == MARKED && kind[me] == LEASE -> \
       lease[row[me]].phase = GRANTED; lease[row[me]].lender = me; lease[row[me]].borrower = peer[me]; \
       lease[row[me]].epoch++; \
       printf("actor %d: L1 grants lease %d of segment %d to %d, slice: %d, halves: %d\n", me, row[me], \
              lease[row[me]].segment, peer[me], lease[row[me]].is_slice, lease[row[me]].range); \
       granted[ACTOR_LEASE(me, row[me])] = lease[row[me]].epoch; \
       doing[me] = LOOK; epoch[me] = lease[row[me]].epoch }

#define LEASE_STEPS(me, l) \
  :: d_step { CAN_START(me) && borrowed[ACTOR_LEASE(me, l)] != 0 -> \
       PROMISE(lease[l].phase == CLAIMED && lease[l].borrower == me && lease[l].epoch == borrowed[ACTOR_LEASE(me, l)], \
               "violated: I5, a lease was settled under its borrower\n"); \
       lease[l].phase = FREE; lease[l].epoch++; borrowed[ACTOR_LEASE(me, l)] = 0; \
       printf("actor %d: L4 drops lease %d\n", me, l) } \
  :: d_step { CAN_START(me) && granted[ACTOR_LEASE(me, l)] != 0 && lease[l].epoch != granted[ACTOR_LEASE(me, l)] -> \
       granted[ACTOR_LEASE(me, l)] = 0 } \
  :: d_step { CAN_START(me) && granted[ACTOR_LEASE(me, l)] != 0 && lease[l].epoch == granted[ACTOR_LEASE(me, l)] && \
              lease_refused[l] == granted[ACTOR_LEASE(me, l)] -> \
       lease_withdraw(me, l) } \
  :: d_step { CAN_START(me) && granted[ACTOR_LEASE(me, l)] != 0 && giveups > 0 -> \
       giveups--; printf("actor %d: loses its patience\n", me); \
       lease_withdraw(me, l) }

/* Drained for a dead peer x: its end has been read, so all before it is in the inbox; then a wait has looked for what
   came to the inbox; then that was found empty, or as much was taken from it as it can hold. What is in hand has been
   decided: one thread. An actor also waits without looking at its inbox, while its user's code waits for an answer;
   such a wait is no step here, but for the mutant that takes it for a look. That the inbox is found empty at other
   times has no effect that could be seen. */
#if BUSY
#define IS_EMPTY(me) (len(inbox[me]) == 0 && !(me == 1 && has_plain))
#define ALL_TAKEN(me) (is_shut[me] || (me == 1 && !DRAINED_WHEN_EMPTY && still_to_take == 0))
#else
#define IS_EMPTY(me) (len(inbox[me]) == 0)
#define ALL_TAKEN(me) (DRAINED_BACKWARDS || is_shut[me])
#endif
#define HAS_ENDED_FOR(me, x) (DRAINED_BY_INBOX || (has_looked[me] & BIT(x)))
#define END_IS_THERE(me, x) (!(alive[x] && life[x] == 0) && len(wire[FROM_TO(x, me)]) == 0)
#define CAN_READ_END(me, x) ((asked[x] & BIT(me)) && !(end_read[me] & BIT(x)) && \
    (!DRAINED_BACKWARDS && END_IS_THERE(me, x) || DRAINED_BACKWARDS && len(inbox[me]) == 0 && doing[me] == IDLE))
#define CAN_FIND_EMPTY(me, x) ((asked[x] & BIT(me)) && !is_shut[me] && IS_EMPTY(me))
#define CAN_LOOK(me, x) ((asked[x] & BIT(me)) && (is_shut[me] && !IS_EMPTY(me) || end_read[me] != has_looked[me]))
#define CAN_ANSWER(me, x) ((asked[x] & BIT(me)) && HAS_ENDED_FOR(me, x) && ALL_TAKEN(me) && \
    (!DRAINED_BACKWARDS || END_IS_THERE(me, x)))

/* An inbox takes from its connections in turn, and an actor answers as soon as it can. */
#if BUSY
#define ANSWERS_FIRST(me) (CAN_READ_END(me, (1 - me)) || CAN_LOOK(me, (1 - me)) || CAN_ANSWER(me, (1 - me)))
#define MAY_TAKE(me) (!ANSWERS_FIRST(me) && !(me == 1 && has_plain && !plain_was_last))
#define MAY_TAKE_PLAIN(me) (me == 1 && has_plain && !ANSWERS_FIRST(me) && !(len(inbox[me]) > 0 && plain_was_last))
#define NOTE_A_TAKE(me, is_plain) \
       if \
       :: me == 1 -> plain_was_last = is_plain; if :: still_to_take > 0 -> still_to_take-- :: else fi \
       :: else \
       fi
#define NOTE_WHAT_MAY_BE_LEFT if :: me == 1 -> still_to_take = 2 * INBOX :: else fi
#else
#define MAY_TAKE(me) true
#define NOTE_A_TAKE(me, is_plain) skip
#define NOTE_WHAT_MAY_BE_LEFT skip
#endif

#define NOW_IDLE(me) doing[me] = IDLE; kind[me] = 0; row[me] = 0; epoch[me] = 0; second[me] = 0; peer[me] = 0
#if PAIR
#define DECIDED_BY_FIRST(me) doing[me] = ACCEPT_SECOND
#define LAST_FIRST(me) \
       if \
       :: PAIR_LAST_FIRST -> used = epoch[me]; epoch[me] = second[me]; second[me] = used; used = 0; row[me] = 1 \
       :: else \
       fi
#else
#define DECIDED_BY_FIRST(me) NOW_IDLE(me)
#define LAST_FIRST(me) skip
#endif
#if L > 0
#define UNDO(me) \
       if \
       :: kind[me] == GIFT -> withdraw(me, row[me]) \
       :: else -> lease_withdraw(me, row[me]) \
       fi; \
       NOW_IDLE(me)
#else
#define UNDO(me) withdraw(me, row[me]); SECOND_FOLLOWS(me)
#endif

#define PEER_STEPS(me, x) \
  :: d_step { CAN_START(me) && life[x] != 0 && known[FROM_TO(me, x)] != life[x] -> \
       known[FROM_TO(me, x)] = life[x] } \
  :: d_step { alive[me] && CAN_READ_END(me, x) -> \
       end_read[me] = end_read[me] | BIT(x); NOTE_WHAT_MAY_BE_LEFT } \
  :: d_step { alive[me] && (doing[me] == IDLE || DRAINED_IN_HAND && doing[me] == HAND) && CAN_FIND_EMPTY(me, x) -> \
       is_shut[me] = 1 } \
  :: d_step { CAN_START(me) && CAN_LOOK(me, x) -> \
       has_looked[me] = end_read[me]; is_shut[me] = 0 } \
  :: d_step { DRAINED_UNLOOKED && alive[me] && (asked[x] & BIT(me)) && end_read[me] != has_looked[me] -> \
       printf("actor %d: waits without its inbox\n", me); \
       has_looked[me] = end_read[me] } \
  :: d_step { alive[me] && (doing[me] == IDLE || DRAINED_IN_HAND && doing[me] == HAND) && CAN_ANSWER(me, x) -> \
       asked[x] = asked[x] & ~BIT(me); end_read[me] = end_read[me] & ~BIT(x); \
       has_looked[me] = has_looked[me] & ~BIT(x); is_shut[me] = 0; \
       printf("actor %d: has Drained %d\n", me, x) }

/* A death: the kernel closes everything at once. What the dead had written may or may not have left its process;
   what was on the way to it may be lost, or reach the next life if that binds the same address. */
inline die(me) {
  alive[me] = false;
  for (i : 0 .. S - 1) { forget_owned(me, i); sent[ACTOR_SEGMENT(me, i)] = 0 }
#if L > 0
  for (i : 0 .. L - 1) { granted[ACTOR_LEASE(me, i)] = 0; borrowed[ACTOR_LEASE(me, i)] = 0 }
#endif
  for (i : 0 .. N - 1) { known[FROM_TO(me, i)] = 0 }
  NOW_IDLE(me); end_read[me] = 0; has_looked[me] = 0; is_shut[me] = 0;
  do
  :: len(inbox[me]) > 0 -> inbox[me] ? _, _, _, _, _
  :: else -> break
  od;
  i = 0;
  do
  :: i < N ->
     if
     :: len(wire[FROM_TO(me, i)]) > 0 ->
        if
        :: wire[FROM_TO(me, i)] ? _, _, _, _, _; printf("  (its message to %d is lost)\n", i)
        :: true
        fi
     :: else
     fi;
     if
     :: i != me && len(wire[FROM_TO(i, me)]) > 0 ->
        if
        :: wire[FROM_TO(i, me)] ? _, _, _, _, _; printf("  (the message of %d to it is lost)\n", i)
        :: restarts > 0
        fi
     :: else
     fi;
     i++
  :: else -> break
  od;
  i = 0
}

proctype Actor(byte me) {
end:
  do
  /* its blocks */
  :: d_step { CAN_START(me) && MAY(CREATORS, me) && segment_home == NOBODY && segment[0].epoch < EPOCHS ->
       segment_home = me; printf("actor %d: claims the block of segments\n", me) }
  SEGMENT_STEPS(me, 0)
#if S > 1
  SEGMENT_STEPS(me, 1)
#endif
  OFFER_STEP(me, (me + 1) % N, 0)
#if N > 2
  OFFER_STEP(me, (me + 2) % N, 0)
#endif
#if SELF
  OFFER_STEP(me, me, 0)
#endif
#if S > 1
  OFFER_STEP(me, (me + 1) % N, 1)
#endif
#if L > 0
  :: d_step { CAN_START(me) && MAY(LENDERS, me) && lease_home == NOBODY && lease[0].epoch < LEASE_EPOCHS ->
       lease_home = me; printf("actor %d: claims the block of leases\n", me) }
  GRANTS_MARKED(me)
  LEASE_STEPS(me, 0)
  GRANT_STEP(me, (me + 1) % N, 0, 0, 0)
#if SLICES
  GRANT_STEP(me, (me + 1) % N, 0, 0, 1)
#endif
#if RANGES
  GRANT_HALVES(me, (me + 1) % N, 0, 0, 0)
  GRANT_HALVES(me, (me + 1) % N, 0, 0, 1)
#endif
#if N > 2
  GRANT_STEP(me, (me + 2) % N, 0, 0, 0)
#endif
#if S > 1
  GRANT_STEP(me, (me + 1) % N, 1, 0, 0)
#endif
#if L > 1
  LEASE_STEPS(me, 1)
  GRANT_STEP(me, (me + 1) % N, 0, 1, 0)
#if SLICES
  GRANT_STEP(me, (me + 1) % N, 0, 1, 1)
#endif
#if RANGES
  GRANT_HALVES(me, (me + 1) % N, 0, 1, 0)
  GRANT_HALVES(me, (me + 1) % N, 0, 1, 1)
#endif
#if N > 2
  GRANT_STEP(me, (me + 2) % N, 0, 1, 0)
#endif
#if S > 1
  GRANT_STEP(me, (me + 1) % N, 1, 1, 0)
#endif
#endif
#endif

#if PAIR
  :: d_step { alive[me] && doing[me] == OFFER_SECOND ->
       owner_moves(me, 1, OWNED, OFFERED);
       printf("actor %d: T2 offers segment 1 to %d, epoch %d\n", me, peer[me], segment[1].epoch);
       segment[1].heir = peer[me]; meant_for[1] = known[FROM_TO(me, peer[me])];
       forget_owned(me, 1); sent[ACTOR_SEGMENT(me, 1)] = segment[1].epoch;
       second[me] = segment[1].epoch; doing[me] = LOOK }
  :: d_step { alive[me] && doing[me] == UNDO_SECOND ->
       withdraw(me, 1);
       NOW_IDLE(me); was_mine = false }
  :: d_step { alive[me] && doing[me] == ACCEPT_SECOND ->
       printf("actor %d: T3 accepts segment %d too\n", me, 1 - row[me]);
       PROMISE(segment[1 - row[me]].phase == OFFERED && segment[1 - row[me]].heir == me &&
               segment[1 - row[me]].epoch == second[me], "violated: I3, half of a message is accepted\n");
       used = 1 - row[me];
       segment[used].phase = OWNED; segment[used].owner = me; segment[used].heir = 0; segment[used].epoch++;
       hold(me, used);
       used = 0; NOW_IDLE(me) }
#endif

  /* after T2 or L1: look whether the life of the Ref still stands, then send */
  :: d_step { alive[me] && doing[me] == LOOK && SEES_HEIR(me) -> doing[me] = SEND }
  :: d_step { alive[me] && doing[me] == LOOK && !SEES_HEIR(me) ->
       printf("actor %d: sees that %d is gone\n", me, peer[me]);
       UNDO(me) }
  :: d_step { alive[me] && doing[me] == SEND && nfull(wire[FROM_TO(me, peer[me])]) ->
       wire[FROM_TO(me, peer[me])] ! kind[me], row[me], epoch[me], second[me], me;
       if
       :: MARK_LATE && kind[me] == GIFT -> marks[peer[me]] = marks[peer[me]] | OFFER_MARKS(row[me])
       :: MARK_LATE && kind[me] == LEASE -> marks[peer[me]] = marks[peer[me]] | LEASE_MARK(row[me])
       :: else
       fi;
       printf("actor %d: sends to %d\n", me, peer[me]);
       NOW_IDLE(me) }
  :: d_step { alive[me] && doing[me] == SEND && (full(wire[FROM_TO(me, peer[me])]) || !IS_AT_HOME(me)) ->
       printf("actor %d: its send to %d is refused\n", me, peer[me]);
       UNDO(me) }
  :: d_step { alive[me] && doing[me] == SEND && !IS_AT_HOME(me) ->
       printf("actor %d: its message goes to a life of %d that is over\n", me, peer[me]);
       NOW_IDLE(me) }

  /* a message leaves the inbox */
  :: d_step { CAN_START(me) && nempty(inbox[me]) && !is_shut[me] && MAY_TAKE(me) ->
       inbox[me] ? kind[me], row[me], epoch[me], second[me], peer[me];
       doing[me] = HAND; LAST_FIRST(me); NOTE_A_TAKE(me, false) }
  :: d_step { alive[me] && doing[me] == HAND && kind[me] == GIFT ->
       if
       :: segment[row[me]].phase == OFFERED && segment[row[me]].heir == me &&
          (ACCEPT_ANY_EPOCH || segment[row[me]].epoch == epoch[me]) ->
          printf("actor %d: T3 accepts segment %d from %d\n", me, row[me], segment[row[me]].owner);
          PROMISE(!alive[peer[me]] || life[peer[me]] == 0 || incarnation[peer[me]] > 1 ||
                  sent[ACTOR_SEGMENT(peer[me], row[me])] == epoch[me],
                  "violated: I3, accepted by a message whose sender has ended that transfer\n");
          PROMISE(incarnation[me] == meant_for[row[me]], "violated: I3, accepted by a life that is not the heir\n");
          segment[row[me]].phase = OWNED; segment[row[me]].owner = me; segment[row[me]].heir = 0;
          segment[row[me]].epoch++;
          /* Of a gift to itself it must forget the sender's half, or it takes its own T3 for a bounce. */
          if :: peer[me] == me && !OWN_GIFT_REMEMBERED -> sent[ACTOR_SEGMENT(me, row[me])] = 0 :: else fi;
          hold(me, row[me]);
          DECIDED_BY_FIRST(me)
       :: else -> printf("actor %d: the handle of segment %d is stale\n", me, row[me]); NOW_IDLE(me)
       fi }
  :: d_step { alive[me] && doing[me] == HAND && kind[me] == GIFT && refusals > 0 &&
              segment[row[me]].phase == OFFERED && segment[row[me]].heir == me &&
              segment[row[me]].epoch == epoch[me] && segment[row[me]].owner == peer[me] && life[peer[me]] != 0 ->
       refusals--; refused[row[me]] = epoch[me];
       printf("actor %d: refuses segment %d\n", me, row[me]);
       NOW_IDLE(me) }
#if L > 0
  :: d_step { alive[me] && doing[me] == HAND && kind[me] == LEASE ->
       if
       :: lease[row[me]].phase == GRANTED && lease[row[me]].borrower == me &&
          (CLAIM_ANY_EPOCH || lease[row[me]].epoch == epoch[me]) ->
          printf("actor %d: L2 claims lease %d\n", me, row[me]);
          PROMISE(!alive[peer[me]] || life[peer[me]] == 0 || incarnation[peer[me]] > 1 ||
                  granted[ACTOR_LEASE(peer[me], row[me])] == epoch[me],
                  "violated: I3, accepted by a message whose sender has ended that transfer\n");
          lease[row[me]].phase = CLAIMED; lease[row[me]].epoch++;
          borrowed[ACTOR_LEASE(me, row[me])] = lease[row[me]].epoch;
          used = lease[row[me]].segment;
          check_use(used);
          used = 0
       :: else -> printf("actor %d: the handle of lease %d is stale\n", me, row[me])
       fi;
       NOW_IDLE(me) }
  :: d_step { alive[me] && doing[me] == HAND && kind[me] == LEASE && refusals > 0 &&
              lease[row[me]].phase == GRANTED && lease[row[me]].borrower == me && lease[row[me]].epoch == epoch[me] &&
              lease[row[me]].lender == peer[me] && life[peer[me]] != 0 ->
       refusals--; lease_refused[row[me]] = epoch[me];
       printf("actor %d: refuses lease %d\n", me, row[me]);
       NOW_IDLE(me) }
#endif
#if BUSY
  :: d_step { CAN_START(me) && !is_shut[me] && MAY_TAKE_PLAIN(me) ->
       has_plain = false; printf("actor %d: takes a plain command\n", me);
       NOTE_A_TAKE(me, true) }
#endif

  /* its peers */
  PEER_STEPS(me, (me + 1) % N)
#if N > 2
  PEER_STEPS(me, (me + 2) % N)
#endif

  :: atomic { alive[me] && crashes > 0 && MAY(MORTALS, me) ->
       crashes--; printf("actor %d: dies\n", me);
       die(me) }
  od
}

/* ---- the network: what is on the wire reaches the inbox of whoever lives at the address */
#define MOVE(a, b) \
  :: d_step { nempty(wire[FROM_TO(a, b)]) && alive[b] && nfull(inbox[b]) -> \
       wire[FROM_TO(a, b)] ? carried_kind, carried_row, carried_epoch, carried_second, carried_from; \
       inbox[b] ! carried_kind, carried_row, carried_epoch, carried_second, carried_from; \
       carried_kind = 0; carried_row = 0; carried_epoch = 0; carried_second = 0; carried_from = 0 }

proctype Network() {
  mtype carried_kind;
  byte carried_row, carried_epoch, carried_second, carried_from;
end:
  do
  MOVE(0, 1)
  MOVE(1, 0)
#if SELF
  MOVE(0, 0)
  MOVE(1, 1)
#endif
#if N > 2
  MOVE(0, 2)
  MOVE(2, 0)
  MOVE(1, 2)
  MOVE(2, 1)
#endif
  od
}

/* ---- the coordinator */
inline settle_segment(x, s) {   /* the first walk */
  if
  :: OWNS(x, s) ->
     segment[s].phase = RETIRED; segment[s].epoch++;
     printf("coordinator: T9 retires segment %d of dead %d\n", s, x)
  :: segment[s].phase == OFFERED && segment[s].heir == x && !NO_BOUNCE &&
     (BOUNCE_TO_THE_DEAD || segment[s].owner != x && life[segment[s].owner] != 0) ->
     segment[s].phase = OWNED; segment[s].heir = 0; segment[s].epoch++;
     printf("coordinator: T5 bounces segment %d to %d, epoch %d\n", s, segment[s].owner, segment[s].epoch)
  :: segment[s].phase == OFFERED && segment[s].heir == x && !BOUNCE_TO_THE_DEAD &&
     segment[s].owner != x && life[segment[s].owner] == 0 ->
     segment[s].phase = RETIRED; segment[s].epoch++;
     printf("coordinator: T6 retires segment %d, owner %d and heir %d are dead\n", s, segment[s].owner, x)
  :: segment[s].phase == OFFERED && segment[s].owner == x && segment[s].heir != x && life[segment[s].heir] != 0 ->
     asked[x] = asked[x] | BIT(segment[s].heir);
     printf("coordinator: asks %d to answer Drained for %d\n", segment[s].heir, x)
  :: else
  fi;
  if
  :: segment[s].phase == OFFERED && segment[s].owner == x -> noted[x] = noted[x] | SEGMENT_MARK(s)
  :: else
  fi
}

inline settle_lease(x, l) {
  if
  :: IS_OPEN(l) && lease[l].borrower == x && !NO_LEASE_SETTLE ->
     lease[l].phase = FREE; lease[l].epoch++;
     printf("coordinator: L5 settles lease %d of dead borrower %d\n", l, x)
  :: lease[l].phase == GRANTED && lease[l].lender == x && lease[l].borrower != x && life[lease[l].borrower] != 0 ->
     asked[x] = asked[x] | BIT(lease[l].borrower);
     printf("coordinator: asks %d to answer Drained for %d\n", lease[l].borrower, x)
  :: else
  fi;
  if
  :: lease[l].phase == GRANTED && lease[l].lender == x || SETTLE_CLAIMED -> noted[x] = noted[x] | LEASE_MARK(l)
  :: else
  fi
}

inline settle_offer(x, s) {     /* the second walk */
  if
  :: segment[s].phase == OFFERED && segment[s].owner == x ->
     printf("coordinator: T6 retires segment %d of dead %d\n", s, x);
     PROMISE(life[segment[s].heir] == 0 || !IS_UNDER_WAY(GIFT, s, segment[s].epoch, segment[s].heir),
             "violated: T6 of a gift that has reached a living heir\n");
#if PAIR
     PROMISE(life[segment[s].heir] == 0 || s == 0 || !IS_SECOND_UNDER_WAY(segment[s].epoch, segment[s].heir),
             "violated: T6 of a gift that has reached a living heir\n");
#endif
     segment[s].phase = RETIRED; segment[s].epoch++
  :: else
  fi
}

inline settle_grant(x, l) {
  if
  :: lease[l].lender == x && (lease[l].phase == GRANTED || SETTLE_CLAIMED && lease[l].phase == CLAIMED) ->
     printf("coordinator: L6 settles lease %d of dead lender %d\n", l, x);
     PROMISE(lease[l].phase == CLAIMED || life[lease[l].borrower] == 0 ||
             !IS_UNDER_WAY(LEASE, l, lease[l].epoch, lease[l].borrower),
             "violated: L6 of a lease that has reached a living borrower\n");
     lease[l].phase = FREE; lease[l].epoch++
  :: else
  fi
}

/* I6. Two rows may still name x: a claimed lease names its dead lender until the borrower drops it, and a late
   offer or grant names x until its sender has looked (or is settled itself). */
#define IS_LATE(o) (!I6_TO_THE_LETTER && \
    (!alive[o] || doing[o] == LOOK || doing[o] == OFFER_SECOND || doing[o] == UNDO_SECOND))
#define NAMES_AS_OWNER(s, x) (OWNS(x, s) || segment[s].phase == OFFERED && segment[s].owner == x)
#define NAMES_AS_HEIR(s, x) (segment[s].phase == OFFERED && segment[s].heir == x && !IS_LATE(segment[s].owner))
#define NAMES_AS_LENDER(l, x) (lease[l].lender == x && \
    (lease[l].phase == GRANTED || lease[l].phase == CLAIMED && I6_TO_THE_LETTER))
#define NAMES_AS_BORROWER(l, x) (lease[l].borrower == x && \
    (lease[l].phase == CLAIMED || lease[l].phase == GRANTED && !IS_LATE(lease[l].lender)))
inline check_settled(x) {
  for (i : 0 .. S - 1) {
    PROMISE(!NAMES_AS_OWNER(i, x), "violated: I6, a segment names the dead as its owner\n");
    PROMISE(!NAMES_AS_HEIR(i, x), "violated: I6, a segment names the dead as its heir\n")
  }
#if L > 0
  for (i : 0 .. L - 1) {
    PROMISE(!NAMES_AS_LENDER(i, x), "violated: I6, a lease names the dead as its lender\n");
    PROMISE(!NAMES_AS_BORROWER(i, x), "violated: I6, a lease names the dead as its borrower\n")
  }
#endif
  PROMISE(segment_home != x && lease_home != x, "violated: I6, a block has the dead for its home\n");
  i = 0
}

#define DEATH_STEPS(x) \
  :: d_step { walking == NOBODY && settling[x] == STANDS && life[x] != 0 && !alive[x] -> \
       printf("coordinator: the kernel says that %d has died\n", x); \
       BEGIN_TO_SETTLE(x) } \
  :: d_step { timers > 0 && walking == NOBODY && settling[x] == STANDS && life[x] != 0 && alive[x] -> \
       timers--; printf("coordinator: takes frozen %d for dead\n", x); \
       BEGIN_TO_SETTLE(x) } \
  :: d_step { walking == NOBODY && settling[x] == WAITS && (SETTLE_UNDRAINED || asked[x] == 0) -> \
       settling[x] = CLOSED; walking = x } \
  :: d_step { restarts > 0 && !alive[x] && life[x] == 0 && \
              (settling[x] == SETTLED || REUSE_BEFORE_WALK || REUSE_BEFORE_DRAINED && settling[x] == WAITS) -> \
       restarts--; incarnation[x]++; life[x] = incarnation[x]; alive[x] = true; \
       if :: CLEARED_TOO_LATE -> to_clear[x] = 1 :: else -> marks[x] = 0 fi; \
       if :: settling[x] == SETTLED -> settling[x] = STANDS :: else fi; \
       printf("coordinator: number %d lives again\n", x) }

#define CLEAR_STEP(x) \
  :: d_step { to_clear[x] -> to_clear[x] = 0; marks[x] = 0 }

#define BEGIN_TO_SETTLE(x) \
       if :: !LIFE_LAST -> life[x] = 0 :: else fi; \
       settling[x] = WALKED; walking = x; \
       for (i : 0 .. N - 1) { asked[i] = asked[i] & ~BIT(x) } \
       i = 0

#define HOME_STEPS(s) \
  :: d_step { segment_home == COORDINATOR && segment[s].phase == RETIRED && NO_LEASE_IN_THE_WAY(s) -> \
       printf("coordinator: T10 recycles segment %d\n", s); \
       check_unused(s); \
       segment[s].phase = FREE; segment[s].owner = 0; segment[s].heir = 0; segment[s].epoch++ }

proctype Coordinator() {
end:
  do
  DEATH_STEPS(0)
  DEATH_STEPS(1)
  CLEAR_STEP(0)
  CLEAR_STEP(1)
#if N > 2
  DEATH_STEPS(2)
#endif
  :: d_step { walking != NOBODY && at < S ->
       if
       :: settling[walking] == WALKED && MAY_NAME(walking, SEGMENT_MARK(at), segment_home) ->
          settle_segment(walking, at)
       :: settling[walking] == CLOSED && (noted[walking] & SEGMENT_MARK(at)) -> settle_offer(walking, at)
       :: else
       fi;
       at++ }
#if L > 0
  :: d_step { walking != NOBODY && at >= S && at < S + L ->
       if
       :: settling[walking] == WALKED && MAY_NAME(walking, LEASE_MARK(at - S), lease_home) ->
          settle_lease(walking, (at - S))
       :: settling[walking] == CLOSED && (noted[walking] & LEASE_MARK(at - S)) -> settle_grant(walking, (at - S))
       :: else
       fi;
       at++ }
#endif
  :: d_step { walking != NOBODY && at == S + L && settling[walking] == WALKED ->
       if :: segment_home == walking && !HOME_STAYS_DEAD -> segment_home = COORDINATOR :: else fi;
       if :: lease_home == walking -> lease_home = COORDINATOR :: else fi;
       if :: LIFE_LAST -> life[walking] = 0 :: else fi;
       settling[walking] = WAITS; walking = NOBODY; at = 0 }
  :: d_step { walking != NOBODY && at == S + L && settling[walking] == CLOSED ->
       printf("coordinator: %d is settled\n", walking);
       noted[walking] = 0;
       if
       :: !alive[walking] -> check_settled(walking); settling[walking] = SETTLED
       :: else -> settling[walking] = STANDS
       fi;
       walking = NOBODY; at = 0 }
  HOME_STEPS(0)
#if S > 1
  HOME_STEPS(1)
#endif
  /* A dead actor's block in which no row is in use any more can be claimed again. */
  :: d_step { walking == NOBODY && segment_home == COORDINATOR && segment[0].phase == FREE &&
              segment[S - 1].phase == FREE ->
       segment_home = NOBODY }
#if L > 0
  :: d_step { walking == NOBODY && lease_home == COORDINATOR && !IS_OPEN(0) && !IS_OPEN(L - 1) ->
       lease_home = NOBODY }
#endif
  od
}

/* ---- fate */
proctype Fate() {
end:
  do
  :: d_step { crashes + restarts + giveups + refusals > 0 ->
       crashes = 0; restarts = 0; giveups = 0; refusals = 0; printf("fate: from here on nothing goes wrong\n") }
  od
}

#if BUSY
proctype Others() { do :: d_step { alive[1] && !has_plain -> has_plain = true } od }
ltl settled { [] (life[0] == 0 -> <> (settling[0] == SETTLED || life[0] != 0)) }
ltl decided { [] (segment[0].phase == OFFERED -> <> (segment[0].phase != OFFERED)) }
ltl recycled { [] (segment[0].phase == RETIRED -> <> (segment[0].phase == FREE)) }
#else
/* Nothing can happen any more. Everybody let go of what they had, so every row must have become free. */
proctype Watch() {
end:
  timeout ->
    d_step {
      printf("watch: nothing moves any more\n");
      for (i : 0 .. S - 1) {
        PROMISE(segment[i].phase == FREE, "violated: I8, a segment never becomes free\n")
      }
#if L > 0
      for (i : 0 .. L - 1) {
        PROMISE(lease[i].phase == FREE, "violated: I8, a lease never becomes free\n")
      }
#endif
      for (i : 0 .. N - 1) {
        PROMISE(DEATH_BY_TIMER || alive[i] && life[i] == incarnation[i] || !alive[i] && settling[i] == SETTLED,
                "violated: I8, a death is never settled\n");
        PROMISE(doing[i] == IDLE && (!alive[i] || len(inbox[i]) == 0), "violated: I8, an actor never comes to rest\n")
      }
    }
}
#endif

init {
  c_code { if (getenv("BATON_LEFT_OUT")) now.left_out = atoi(getenv("BATON_LEFT_OUT")); };
  d_step {
    if :: DEATH_BY_TIMER -> timers = 1 :: else fi;
    for (i : 0 .. N - 1) {
      incarnation[i] = 1; life[i] = 1; alive[i] = true; settling[i] = STANDS; doing[i] = IDLE;
      for (j : 0 .. N - 1) { known[FROM_TO(i, j)] = 1 }
    }
    for (i : 0 .. S - 1) { segment[i].phase = FREE; segment[i].first = NOWHERE }
    for (i : 0 .. LEASE_ROWS - 1) { lease[i].phase = FREE; lease[i].next = NOWHERE }
    i = 0; j = 0
  }
  atomic {
    run Actor(0);
    run Actor(1);
#if N > 2
    run Actor(2);
#endif
    run Network();
    run Coordinator();
    run Fate();
#if BUSY
    run Others()
#else
    run Watch()
#endif
  }
}
