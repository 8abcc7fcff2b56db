/* Memory that leaves the session by name, or comes into it (Holdings::hand_out, take_in), as a model for spin.
   model/run.py runs it; how it is written is said in ownership.pml.

   One row, whose home is actor 0. Its memory is an object with a name: the row's, or the user's. An owner (0, or 1 whom
   it was given to) hands it out; actor 0 takes memory of the user's in. Anybody may die between two steps; renaming may
   fail, and so may mapping. Whoever has mapped an object goes on seeing it, whatever its name is. */

#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef FAILURES
#define FAILURES 1          /* of renaming and mapping */
#endif
#ifndef LEFT_OUT
#define LEFT_OUT 0
#endif
byte left_out = LEFT_OUT;
#define RENAME_FIRST      (left_out ==  1)  /* the memory is renamed before the row says that it has none */
#define NOT_PUT_BACK      (left_out ==  2)  /* where it can't be renamed the row goes on saying that it has none */
#define HOME_LEAVES_IT    (left_out ==  3)  /* a row that says so is taken home without a look for memory of its name */
#define RENAME_THEN_MAP   (left_out ==  4)  /* what is taken in is renamed before it is mapped, and stays here if that fails */

#define PROMISE(condition, story) if :: !(condition) -> printf(story); assert(false) :: else fi
#define NOBODY 9
#define COORDINATOR 8

mtype = { FREE, OWNED, RETIRED };
mtype = { NOWHERE, OURS, THEIRS };          /* the name of the memory: none, the row's, the user's */
mtype = { IDLE, MARKED, RENAMED, TAKEN, MAPPED, INSIDE, PUT_BACK, FAILED };

/* ---- the row and its memory */
mtype phase = FREE;
byte owner = NOBODY;
bit has_bytes;              /* the row says that it has memory */
bit is_marked;              /* ... that its memory has left */
bit charged;                /* its home has claimed the bytes */
mtype memory = NOWHERE;     /* of the generation that the row names */
mtype outside = THEIRS;     /* what take_in() is to take: the user's from the start */
byte home = 0;

/* ---- actors */
bool alive[2];
mtype doing[2];
bool settled[2];
bool in_pool;               /* actor 0 keeps the row with its memory for the next segment of that size, mapped */
byte takes = 1, makes = 2, failures = FAILURES, crashes = CRASHES;
bool is_taking;             /* the row is to hold what is taken in */

inline make(me) {           /* T1 with fresh memory, or that of the pool */
  if
  :: in_pool -> PROMISE(memory != THEIRS, "violated: somebody writes into what was handed out\n"); in_pool = false
  :: else -> memory = OURS; has_bytes = 1; charged = 1   /* of another generation: what had left is the user's */
  fi;
  phase = OWNED; owner = me
}

inline take_home() {        /* T10, by home or coordinator */
  phase = FREE; owner = NOBODY;
  if
  :: has_bytes && home == 0 -> in_pool = true
  :: has_bytes && home != 0 -> if :: memory == OURS -> memory = NOWHERE :: else fi; has_bytes = 0; charged = 0
  :: !has_bytes ->
     if :: is_marked && memory == OURS && !HOME_LEAVES_IT -> memory = NOWHERE :: else fi;
     if :: is_marked || home != 0 -> charged = 0 :: else fi;
     if :: home != 0 && memory == OURS && !HOME_LEAVES_IT -> memory = NOWHERE :: else fi
  fi;
  is_marked = 0
}

proctype Actor(byte me) {
end:
  do
  :: d_step { alive[me] && me == 0 && doing[0] == IDLE && phase == FREE && home == 0 && makes > 0 ->
       makes--; make(0); printf("actor 0: T1\n") }
  :: d_step { alive[0] && alive[1] && me == 1 && doing[0] == IDLE && doing[1] == IDLE && phase == OWNED && owner == 0 && !is_taking ->
       PROMISE(has_bytes, "violated: an heir cannot map what it is given: the row says that there is no memory\n");
       owner = 1; printf("actor 1: is given it\n") }
  /* an owner lets it go */
  :: d_step { alive[me] && doing[me] == IDLE && phase == OWNED && owner == me -> phase = RETIRED; printf("actor %d: T9\n", me) }
  :: d_step { alive[me] && me == 0 && doing[0] == IDLE && phase == RETIRED && home == 0 -> take_home(); printf("actor 0: T10\n") }

  /* hand_out: the row, the name, T9 */
  :: d_step { alive[me] && doing[me] == IDLE && phase == OWNED && owner == me && !RENAME_FIRST && !is_taking ->
       has_bytes = 0; is_marked = 1; doing[me] = MARKED; printf("actor %d: the row says that its memory has left\n", me) }
  :: d_step { alive[me] && (doing[me] == MARKED || RENAME_FIRST && doing[me] == IDLE && phase == OWNED && owner == me && !is_taking) ->
       memory = THEIRS; doing[me] = RENAMED; printf("actor %d: the memory has the user's name\n", me) }
  :: d_step { alive[me] && doing[me] == MARKED && failures > 0 ->
       failures--; if :: !NOT_PUT_BACK -> has_bytes = 1; is_marked = 0 :: else fi;
       doing[me] = IDLE; printf("actor %d: it can't be renamed\n", me) }
  :: d_step { alive[me] && doing[me] == RENAMED ->
       has_bytes = 0; is_marked = 1; phase = RETIRED; doing[me] = IDLE; printf("actor %d: T9, handed out\n", me) }

  /* take_in: the row, the view, the name */
  :: d_step { alive[me] && me == 0 && doing[0] == IDLE && phase == FREE && home == 0 && takes > 0 && !in_pool && !has_bytes ->
       takes--; is_taking = true; memory = NOWHERE; phase = OWNED; owner = 0; doing[0] = TAKEN; printf("actor 0: T1, to take in\n") }
  :: d_step { alive[me] && me == 0 && doing[0] == TAKEN && !RENAME_THEN_MAP -> doing[0] = MAPPED }
  :: d_step { alive[me] && me == 0 && doing[0] == TAKEN && RENAME_THEN_MAP -> memory = OURS; outside = OURS; doing[0] = INSIDE }
  :: d_step { alive[me] && me == 0 && (doing[0] == TAKEN || doing[0] == MAPPED || RENAME_THEN_MAP && doing[0] == INSIDE) && failures > 0 ->
       failures--; doing[0] = FAILED; printf("actor 0: it can't be mapped or renamed\n") }
  :: d_step { alive[me] && me == 0 && doing[0] == FAILED ->
       PROMISE(outside == THEIRS, "violated: what could not be taken in is not the user's any more\n");
       phase = RETIRED; is_taking = false; doing[0] = IDLE }
  :: d_step { alive[me] && me == 0 && doing[0] == MAPPED -> memory = OURS; outside = OURS; doing[0] = INSIDE }
  :: d_step { alive[me] && me == 0 && doing[0] == INSIDE -> has_bytes = 1; charged = 1; is_taking = false; doing[0] = IDLE }

  :: d_step { alive[me] && crashes > 0 ->
       crashes--; alive[me] = false; printf("actor %d: dies\n", me);
       if :: me == 0 -> in_pool = false :: else fi }
  od
}

proctype Coordinator() {
end:
  do
  :: d_step { !alive[0] && !settled[0] ->
       settled[0] = true; is_taking = false;
       if :: phase == OWNED && owner == 0 -> phase = RETIRED; printf("coordinator: T9\n") :: else fi;
       home = COORDINATOR }
  :: d_step { !alive[1] && !settled[1] ->
       settled[1] = true;
       if :: phase == OWNED && owner == 1 -> phase = RETIRED; printf("coordinator: T9\n") :: else fi }
  :: d_step { home == COORDINATOR && (phase == RETIRED || phase == FREE && has_bytes) -> take_home(); printf("coordinator: T10\n") }
  od
}

/* Nothing can happen any more: what is nobody's is nowhere, and is claimed by nobody. */
proctype Watch() {
end:
  timeout ->
    d_step {
      PROMISE(phase != FREE || memory != OURS || in_pool, "violated: I7, memory is left that nobody will give back\n");
      PROMISE(phase != FREE || in_pool || !charged, "violated: the home has claimed bytes for no memory\n");
      PROMISE(phase != FREE || in_pool || !has_bytes, "violated: a free row says that it has memory, and has none\n")
    }
}

init {
  c_code { if (getenv("BATON_LEFT_OUT")) now.left_out = atoi(getenv("BATON_LEFT_OUT")); };
  alive[0] = true; alive[1] = true; doing[0] = IDLE; doing[1] = IDLE;
  atomic { run Actor(0); run Actor(1); run Coordinator(); run Watch() }
}
