/* Segments that share an object of shared memory (Home, Shelves; LeftShelves of the coordinator), as a model for spin.
   model/run.py runs it; how it is written is said in ownership.pml.

   One block of two rows, whose memory is one object, the shelf. Its home, actor 0, makes the shelf, commits the places
   one by one, gives what it has to actor 1, and removes the shelf when both places are free. Anybody may die between
   two steps; then the coordinator is the home. Actor 1 keeps a view of a shelf for the next time that it sees its name.
   With PAGE both places lie in one page, which is committed and given back whole. */

#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef PAGE
#define PAGE 0
#endif
#ifndef LEFT_OUT
#define LEFT_OUT 0
#endif
byte left_out = LEFT_OUT;
#define MADE_UNSAID       (left_out ==  1)  /* the shelf is made before the rows say so */
#define CLEARED_FIRST     (left_out ==  2)  /* the rows stop saying so before it is removed */
#define GONE_WITH_HOME    (left_out ==  3)  /* the coordinator removes it when its home has died, whoever holds a place */
#define BYTES_ONLY        (left_out ==  4)  /* the coordinator looks only where a row says that it has memory */
#define PUNCH_ANY         (left_out ==  5)  /* a page is given back when one of its places is free */
#define NAME_KEPT         (left_out ==  6)  /* a new shelf of the block has the name of the last one */
#define PUNCHED_BY_ROW    (left_out ==  7)  /* the coordinator gives back only what the rows say, not what may be committed */
#define RETIRED_IS_FREE   (left_out ==  8)  /* a place is used again once it is retired, whoever has borrowed it */

#define PROMISE(condition, story) if :: !(condition) -> printf(story); assert(false) :: else fi
#define NOBODY 9
#define COORDINATOR 8
#define NONE 0

mtype = { FREE, OWNED, RETIRED };
mtype = { IDLE, SAID, COMMITTED, PUNCHED, REMOVED, CLEARED };

/* ---- the block: what stands in the ledger */
mtype phase[2] = FREE;
byte owner[2] = NOBODY;
bit has[2];                 /* the row says that it has memory */
bit said;                   /* the rows say that their memory is a shelf */
byte generation;            /* ... of this name */
bit borrowed[2];            /* actor 1 has a lease in it */
byte home = 0;

/* ---- the machine */
byte shelf = NONE;          /* which object has the name of `generation`; each is another */
byte shelf_name;            /* the name that it was made with */
byte made;
bit committed[2];

/* ---- actors */
bool alive[2];
bool settled[2];
mtype doing = IDLE;         /* actor 0 */
byte at;                    /* the place that it works on */
byte view = NONE, view_name;  /* what actor 1 has mapped, and by which name */
bit keeps;                  /* it lets nothing go until it dies */
bit untidy;                 /* the coordinator is to look at the block */
mtype tidying = IDLE;
byte makes = 2, gives = 3, trims = 2, crashes = CRASHES;

#define OTHER(place) (1 - (place))
#define ALL_FREE (phase[0] == FREE && phase[1] == FREE)
#define IS_THERE(place) (shelf != NONE && committed[place])
/* What can be committed or given back is a place, or the page of both. */
#define MAY_PUNCH(place) (phase[place] == FREE && (!PAGE || PUNCH_ANY || phase[OTHER(place)] == FREE))

inline commit(place) { committed[place] = 1; if :: PAGE -> committed[OTHER(place)] = 1 :: else fi }
inline punch(place) { committed[place] = 0; if :: PAGE -> committed[OTHER(place)] = 0 :: else fi }
inline clear(place) { has[place] = 0; if :: PAGE -> has[OTHER(place)] = 0 :: else fi }
inline say(place) { has[place] = 1; if :: PAGE -> if :: phase[OTHER(place)] == FREE -> has[OTHER(place)] = 1 :: else fi :: else fi }
inline remove_shelf() { shelf = NONE; committed[0] = 0; committed[1] = 0 }
inline make_shelf() { made++; shelf = made; shelf_name = generation; printf("actor 0: makes the shelf\n") }

proctype Home() {
end:
  do
  /* the shelf: the rows, the object */
  :: d_step { alive[0] && doing == IDLE && !said && shelf == NONE && makes > 0 && !MADE_UNSAID ->
       makes--; said = 1; if :: !NAME_KEPT || generation == 0 -> generation++ :: else fi; doing = SAID;
       printf("actor 0: the rows say that they are a shelf\n") }
  :: d_step { alive[0] && doing == IDLE && !said && shelf == NONE && makes > 0 && MADE_UNSAID ->
       makes--; generation++; make_shelf(); doing = SAID }
  :: d_step { alive[0] && doing == SAID ->
       if :: MADE_UNSAID -> said = 1 :: else -> make_shelf() fi; doing = IDLE }

  /* memory for a place: the pages, the row */
  :: d_step { alive[0] && doing == IDLE && said && shelf != NONE && phase[0] == FREE && !has[0] -> at = 0; doing = COMMITTED;
       commit(0); printf("actor 0: memory for place 0\n") }
  :: d_step { alive[0] && doing == IDLE && said && shelf != NONE && phase[1] == FREE && !has[1] -> at = 1; doing = COMMITTED;
       commit(1); printf("actor 0: memory for place 1\n") }
  :: d_step { alive[0] && doing == COMMITTED -> say(at); doing = IDLE }

  /* T1, gifts and lends, T9, T10 of either place */
  :: d_step { alive[0] && doing == IDLE && phase[0] == FREE && has[0] && gives > 0 -> gives--;
       PROMISE(!borrowed[0], "violated: I5, a place is used again under a lease\n");
       phase[0] = OWNED; owner[0] = 0; printf("actor 0: T1 of place 0\n") }
  :: d_step { alive[0] && doing == IDLE && phase[1] == FREE && has[1] && gives > 0 -> gives--;
       PROMISE(!borrowed[1], "violated: I5, a place is used again under a lease\n");
       phase[1] = OWNED; owner[1] = 0; printf("actor 0: T1 of place 1\n") }
  :: d_step { alive[0] && alive[1] && phase[0] == OWNED && owner[0] == 0 ->
       if :: view == NONE || view_name != generation -> view = shelf; view_name = generation :: else fi;
       owner[0] = 1; printf("actor 1: is given place 0\n") }
  :: d_step { alive[0] && alive[1] && phase[1] == OWNED && owner[1] == 0 && !borrowed[1] ->
       if :: view == NONE || view_name != generation -> view = shelf; view_name = generation :: else fi;
       borrowed[1] = 1; printf("actor 1: borrows place 1\n") }
  :: d_step { alive[0] && phase[0] == OWNED && owner[0] == 0 -> phase[0] = RETIRED; printf("actor 0: T9 of place 0\n") }
  :: d_step { alive[0] && phase[1] == OWNED && owner[1] == 0 -> phase[1] = RETIRED; printf("actor 0: T9 of place 1\n") }
  :: d_step { alive[0] && doing == IDLE && phase[0] == RETIRED -> phase[0] = FREE; owner[0] = NOBODY; printf("actor 0: T10 of place 0\n") }
  :: d_step { alive[0] && doing == IDLE && phase[1] == RETIRED && (!borrowed[1] || RETIRED_IS_FREE) ->
       phase[1] = FREE; owner[1] = NOBODY; printf("actor 0: T10 of place 1\n") }

  /* trim: all of it, or what is free of it */
  :: d_step { alive[0] && doing == IDLE && said && shelf != NONE && ALL_FREE && trims > 0 -> trims--;
       if :: CLEARED_FIRST -> said = 0; has[0] = 0; has[1] = 0; doing = CLEARED
          :: else -> remove_shelf(); doing = REMOVED fi; printf("actor 0: the shelf is free\n") }
  :: d_step { alive[0] && doing == REMOVED -> said = 0; has[0] = 0; has[1] = 0; doing = IDLE }
  :: d_step { alive[0] && doing == CLEARED -> remove_shelf(); doing = IDLE }
  :: d_step { alive[0] && doing == IDLE && shelf != NONE && has[0] && MAY_PUNCH(0) && trims > 0 -> trims--;
       at = 0; punch(0); doing = PUNCHED; printf("actor 0: gives place 0 back\n") }
  :: d_step { alive[0] && doing == IDLE && shelf != NONE && has[1] && MAY_PUNCH(1) && trims > 0 -> trims--;
       at = 1; punch(1); doing = PUNCHED; printf("actor 0: gives place 1 back\n") }
  :: d_step { alive[0] && doing == PUNCHED -> clear(at); doing = IDLE }

  :: d_step { alive[0] && crashes > 0 -> crashes--; alive[0] = false; printf("actor 0: dies\n") }
  od
}

proctype Taker() {
end:
  do
  :: d_step { alive[1] && !keeps && phase[0] == OWNED && owner[0] == 1 ->
       PROMISE(IS_THERE(0), "violated: a segment that somebody owns has no memory\n");
       PROMISE(view == shelf, "violated: its owner sees the memory of another shelf\n");
       phase[0] = RETIRED; printf("actor 1: T9 of place 0\n") }
  :: d_step { alive[1] && !keeps && borrowed[1] ->
       PROMISE(IS_THERE(1), "violated: a segment that somebody reads has no memory\n");
       PROMISE(view == shelf, "violated: its reader sees the memory of another shelf\n");
       borrowed[1] = 0; printf("actor 1: L4\n") }
  :: d_step { alive[1] && crashes > 0 -> crashes--; alive[1] = false; view = NONE; printf("actor 1: dies\n") }
  od
}

proctype Coordinator() {
end:
  do
  :: d_step { !alive[0] && !settled[0] -> settled[0] = true;
       if :: phase[0] == OWNED && owner[0] == 0 -> phase[0] = RETIRED :: else fi;
       if :: phase[1] == OWNED && owner[1] == 0 -> phase[1] = RETIRED :: else fi;
       home = COORDINATOR;
       if :: BYTES_ONLY -> untidy = (has[0] || has[1]) :: else -> untidy = said fi;
       if :: GONE_WITH_HOME -> remove_shelf() :: else fi;
       printf("coordinator: settles actor 0\n") }
  :: d_step { !alive[1] && !settled[1] -> settled[1] = true; borrowed[1] = 0;
       if :: phase[0] == OWNED && owner[0] == 1 -> phase[0] = RETIRED :: else fi;
       printf("coordinator: settles actor 1\n") }
  :: d_step { home == COORDINATOR && tidying == IDLE && phase[0] == RETIRED ->
       phase[0] = FREE; owner[0] = NOBODY; untidy = 1; printf("coordinator: T10 of place 0\n") }
  :: d_step { home == COORDINATOR && tidying == IDLE && phase[1] == RETIRED && (!borrowed[1] || RETIRED_IS_FREE) ->
       phase[1] = FREE; owner[1] = NOBODY; untidy = 1; printf("coordinator: T10 of place 1\n") }
  :: d_step { home == COORDINATOR && tidying == IDLE && untidy ->
       untidy = 0;
       if
       :: ALL_FREE -> remove_shelf(); tidying = REMOVED; printf("coordinator: removes the shelf\n")
       :: else ->
          if :: MAY_PUNCH(0) && (has[0] || !PUNCHED_BY_ROW) -> punch(0); has[0] = 0 :: else fi;
          if :: MAY_PUNCH(1) && (has[1] || !PUNCHED_BY_ROW) -> punch(1); has[1] = 0 :: else fi
       fi }
  :: d_step { tidying == REMOVED -> said = 0; has[0] = 0; has[1] = 0; home = NOBODY; tidying = IDLE }
  od
}

/* At every step, and when nothing can happen any more. */
proctype Watch() {
end:
  do
  :: d_step { phase[0] == OWNED && !IS_THERE(0) -> PROMISE(false, "violated: a segment that somebody owns has no memory\n") }
  :: d_step { phase[1] == OWNED && !IS_THERE(1) -> PROMISE(false, "violated: a segment that somebody owns has no memory\n") }
  :: d_step { borrowed[1] && alive[1] && !IS_THERE(1) -> PROMISE(false, "violated: a segment that somebody reads has no memory\n") }
  :: d_step { crashes > 0 -> crashes = 0 }
  :: timeout ->
    d_step {
      PROMISE(alive[0] || !ALL_FREE || shelf == NONE, "violated: I7, a shelf is left that nobody will remove\n");
      PROMISE(alive[0] || !ALL_FREE || home == NOBODY || !said, "violated: I7, a block is left that nobody will give up\n");
      PROMISE(alive[0] || PAGE || phase[0] != FREE || !committed[0], "violated: memory is left at a place that nobody uses\n");
      PROMISE(alive[0] || PAGE || phase[1] != FREE || !committed[1], "violated: memory is left at a place that nobody uses\n")
    }; break
  od
}

init {
  c_code { if (getenv("BATON_LEFT_OUT")) now.left_out = atoi(getenv("BATON_LEFT_OUT")); };
  alive[0] = true; alive[1] = true;
  if :: keeps = 0 :: keeps = 1 fi;
  atomic { run Home(); run Taker(); run Coordinator(); run Watch() }
}
