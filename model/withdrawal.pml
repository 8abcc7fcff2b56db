/* An ask that is given up (docs/decisions/0019), as a model for spin. model/run.py runs it; how it is written is said
   in ownership.pml.

   Actor 0 asks, actor 1 is asked. The asks wait in the inbox in the order of their numbers, and the receiver takes them
   one by one: it stores how many it has taken, then looks into the asker's row whether that one is withdrawn, then
   stores that it has looked. The asker gives up an ask: it writes the ask's number into its row, then reads how many the
   receiver has taken. The row has fewer places than there are asks; a place is free again when its ask has been
   answered or had begun. Either may die at any step, and the asker's number and row may be given to another life while
   asks of the first are still unread. */

#ifndef ASKS
#define ASKS 3
#endif
#ifndef PLACES
#define PLACES 2
#endif
#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef LEFT_OUT
#define LEFT_OUT 0
#endif
byte left_out = LEFT_OUT;
#define LOOK_THEN_STORE   (left_out ==  1)  /* the receiver looks at the asker's row before it stores its count */
#define READ_THEN_WRITE   (left_out ==  2)  /* the asker reads the count before it writes into its row, and not again */
#define PLACE_TOO_SOON    (left_out ==  3)  /* a place is used again although its ask has neither begun nor been answered */
#define SUMMARY_FIRST     (left_out ==  4)  /* how many places are in use is written before the place, and read in between */
#define ANY_LIFE          (left_out ==  5)  /* the receiver does not look whose row it has read */
#define FULL_IS_WITHDRAWN (left_out ==  6)  /* an ask for which there is no place is called withdrawn */
#define ROW_TOO_SOON      (left_out ==  7)  /* a row is given to another life whatever it says is withdrawn */
#define TAKEN_IS_LOOKED   (left_out ==  8)  /* ... when all has been taken, though not yet looked at */
#define LIFE_FIRST        (left_out ==  9)  /* the receiver looks whose row it is before it reads it, and not after */

#define PROMISE(condition, story) if :: !(condition) -> printf(story); assert(false) :: else fi

mtype = { NO_WORD, WITHDRAWN, MAY_HAVE_RUN };
mtype = { IDLE, CHOSEN, WRITTEN, SHOWN, TAKEN, LIFE_SEEN, LOOKING, SEEN };

/* ---- the rows */
byte life = 1;              /* of the asker, as its row says; its asks of this life are numbered from 1 */
byte place[PLACES];         /* numbers of withdrawn asks, 0: free */
byte in_use;                /* how many places */
byte taken, looked;         /* asks of the first life that the receiver has taken, and has looked after */

/* ---- the asker's first life */
bool is_asker_alive = true;
mtype asking = IDLE;
byte sent, given_up, number, at, seen;
bool may_reuse;             /* a place of another ask, by a mutant */
mtype said[ASKS + 1] = NO_WORD;
bool was_written[ASKS + 1]; /* into a place, ever, by that life */

/* ---- the receiver */
bool is_receiver_alive = true;
mtype taking = IDLE;
byte whose;
bool is_withdrawn;
bool is_refused[ASKS + 1];
bool has_run[ASKS + 1];

byte next_life;             /* how far its first steps are */
byte crashes = CRASHES;

inline free_place() {       /* of the lowest number; PLACES: none */
  at = 0;
  do
  :: at < PLACES && place[at] != 0 && !(PLACE_TOO_SOON && at == 0) -> at++
  :: else -> break
  od
}

inline decide() {
  if
  :: seen < number -> said[number] = WITHDRAWN
  :: else -> said[number] = MAY_HAVE_RUN; place[at] = 0; in_use--
  fi;
  printf("actor 0: gives up ask %d, of which %d are taken\n", number, seen);
  asking = IDLE; number = 0; at = 0; seen = 0
}

proctype Asker() {
end:
  do
  :: d_step { is_asker_alive && sent < ASKS -> sent++; printf("actor 0: asks %d\n", sent) }
  :: d_step { is_asker_alive && asking == IDLE && given_up < sent ->
       given_up++;
       if
       :: !has_run[given_up] && !is_refused[given_up] ->
          number = given_up; free_place();
          if
          :: at == PLACES ->
             said[number] = (FULL_IS_WITHDRAWN -> WITHDRAWN : MAY_HAVE_RUN);
             number = 0; at = 0; printf("actor 0: no place for ask %d\n", given_up)
          :: else -> asking = CHOSEN; if :: READ_THEN_WRITE -> seen = taken :: else fi
          fi
       :: else                             /* it has been answered */
       fi }
  :: d_step { is_asker_alive && asking == CHOSEN && !SUMMARY_FIRST ->
       place[at] = number; was_written[number] = true; asking = WRITTEN }
  :: d_step { is_asker_alive && asking == CHOSEN && SUMMARY_FIRST -> in_use++; asking = WRITTEN }
  :: d_step { is_asker_alive && asking == WRITTEN && !SUMMARY_FIRST -> in_use++; asking = SHOWN }
  :: d_step { is_asker_alive && asking == WRITTEN && SUMMARY_FIRST -> seen = taken; asking = SHOWN }
  :: d_step { is_asker_alive && asking == SHOWN ->
       if :: SUMMARY_FIRST -> place[at] = number; was_written[number] = true :: else fi;
       if :: !READ_THEN_WRITE && !SUMMARY_FIRST -> seen = taken :: else fi;
       decide() }
  /* what was withdrawn has been refused, or its receiver has died */
  :: d_step { is_asker_alive && asking == IDLE && place[0] != 0 && (is_refused[place[0]] || has_run[place[0]] || !is_receiver_alive) ->
       place[0] = 0; in_use--; printf("actor 0: a place is free\n") }
  :: d_step { is_asker_alive && asking == IDLE && PLACES > 1 && place[PLACES - 1] != 0 && (is_refused[place[PLACES - 1]] || has_run[place[PLACES - 1]] || !is_receiver_alive) ->
       place[PLACES - 1] = 0; in_use--; printf("actor 0: a place is free\n") }
  :: d_step { is_asker_alive && crashes > 0 -> crashes--; is_asker_alive = false; printf("actor 0: dies\n") }
  od
}

/* The coordinator gives number and row to another life when nobody can look any more for what the first one withdrew,
   and that life withdraws an ask of its own to somebody else, by a number that the first one used too. */
proctype Successor() {
end:
  do
  :: d_step { !is_asker_alive && next_life == 0 && (in_use == 0 || !is_receiver_alive || ROW_TOO_SOON ||
       (TAKEN_IS_LOOKED -> taken == sent : looked == sent)) -> life = 0; next_life = 1; printf("coordinator: prepares the row\n") }
  :: d_step { next_life == 1 -> place[0] = 0; place[PLACES - 1] = 0; in_use = 0; next_life = 2 }
  :: d_step { next_life == 2 -> life = 2; next_life = 3 }
  :: d_step { next_life == 3 -> place[0] = 1; next_life = 4 }
  :: d_step { next_life == 4 -> in_use = 1; next_life = 5; printf("actor 0: its next life gives up its ask 1\n") }
  od
}

inline run_or_refuse(one) {
  if
  :: is_withdrawn ->
     PROMISE(was_written[one], "violated: an ask that nobody gave up is refused\n");
     is_refused[one] = true; printf("actor 1: refuses %d\n", one)
  :: else ->
     PROMISE(said[one] != WITHDRAWN, "violated: an ask runs that was said to be withdrawn\n");
     has_run[one] = true; printf("actor 1: runs %d\n", one)
  fi;
  taking = IDLE; whose = 0; is_withdrawn = false
}

#define THIS (LOOK_THEN_STORE -> taken + 1 : taken)

proctype Receiver() {
end:
  do
  :: d_step { is_receiver_alive && taking == IDLE && taken < sent && !LOOK_THEN_STORE -> taken++; taking = TAKEN }
  :: d_step { is_receiver_alive && taking == IDLE && taken < sent && LOOK_THEN_STORE -> taking = TAKEN }
  :: d_step { is_receiver_alive && taking == TAKEN && LIFE_FIRST -> whose = life; taking = LIFE_SEEN }
  :: d_step { is_receiver_alive && (taking == LIFE_SEEN || taking == TAKEN && !LIFE_FIRST) ->
       if :: in_use == 0 -> taking = SEEN :: else -> taking = LOOKING fi }
  :: d_step { is_receiver_alive && taking == LOOKING ->
       is_withdrawn = (place[0] == THIS || place[PLACES - 1] == THIS); taking = SEEN }
  :: d_step { is_receiver_alive && taking == SEEN ->
       if :: !LIFE_FIRST -> whose = life :: else fi;
       if :: whose != 1 && !ANY_LIFE -> is_withdrawn = false :: else fi;
       if :: LOOK_THEN_STORE -> taken++ :: else fi;
       looked = taken; run_or_refuse(taken) }
  :: d_step { is_receiver_alive && crashes > 0 -> crashes--; is_receiver_alive = false; printf("actor 1: dies\n") }
  od
}

/* Nothing can happen any more. */
proctype Watch() {
  byte one;
end:
  timeout ->
    d_step {
      one = 1;
      do
      :: one <= ASKS ->
         PROMISE(!has_run[one] || said[one] != WITHDRAWN, "violated: an ask ran that was said to be withdrawn\n");
         PROMISE(!is_receiver_alive || one > sent || has_run[one] || is_refused[one], "violated: an ask is neither run nor refused\n");
         one++
      :: else -> break
      od;
      PROMISE(!is_asker_alive || in_use == 0, "violated: a place is in use for ever\n")
    }
}

init {
  c_code { if (getenv("BATON_LEFT_OUT")) now.left_out = atoi(getenv("BATON_LEFT_OUT")); };
  atomic { run Asker(); run Receiver(); run Successor(); run Watch() }
}
