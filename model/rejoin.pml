/* A member that loses its coordinator and finds the next one (model/takeover.md, M), as a model for spin.
   model/run.py runs it; how it is written is said in ownership.pml.

   The member joins, locates actor 0 and has a signal sent to it, and waits for the end of a lease that actor 1 has
   taken by name: of actor 1 it knows nothing. Both actors may die. The coordinator may die between any two steps; it
   is followed by another one, whose process and address are told by the header of the roster. The past that is
   remembered has an end. */

#ifndef SUCCESSORS
#define SUCCESSORS 3        /* how often the coordinator dies */
#endif
#ifndef MEMBER_DIES
#define MEMBER_DIES 1
#endif
#ifndef LEAVES
#define LEAVES 0            /* 1: the member leaves in the end */
#endif
#ifndef LEFT_OUT
#define LEFT_OUT 0
#endif
byte left_out = LEFT_OUT;
#define HEADER_TORN           (left_out ==  1)  /* the old generation stands while pid and ticks are written */
#define HEADER_READ_ONCE      (left_out ==  2)  /* the generation is not read again behind the pid */
#define PROCESS_UNCHECKED     (left_out ==  3)  /* a pid is watched, whose process may be another one by now */
#define LANE_RECONNECTS       (left_out ==  4)  /* the control lane leads to whoever has the coordinator's address */
#define WATCHES_BEFORE_CLOSED (left_out ==  5)  /* the list is made, then what the old lane has brought is taken */
#define WATCHES_UNREAD        (left_out ==  6)  /* the next coordinator does not note who watches */
#define PAST_UNREAD           (left_out ==  7)  /* ... and does not look who of the list has ended */
#define PAST_BY_JOURNAL       (left_out ==  8)  /* ... finds only those whose exit it remembers */
#define NOT_LOOKED_AGAIN      (left_out ==  9)  /* a member that is welcome does not look at what it waits for */
#define SIGNAL_REPEATED       (left_out == 10)  /* a signal is repeated like other requests */
#define JOINS_AGAIN           (left_out == 11)  /* a repeated Join is not known by its token */
#define HALF_JOINED_KEPT      (left_out == 12)  /* a take-over keeps the row of a Join that was not answered */
#define READMITTED            (left_out == 13)  /* a member is welcome whose life is over */
#define REJOIN_BEHIND         (left_out == 14)  /* open requests are repeated before Rejoin */

#define PROMISE(condition, story) if :: !(condition) -> printf(story); assert(false) :: else fi
#define NOBODY 9

mtype = { LIVES, ENDED, OVER };                                 /* an actor: ended, and recorded */
mtype = { ABSENT, STARTING, READY };                            /* the member's row */
mtype = { NOTHING, JOIN, LOCATE, SIGNAL, LEAVE };                      /* what it asks for */
mtype = { REJOIN, WELCOME, ANSWERED, REFUSED, EXITED, LOOK, NO_LIFE };   /* and what they say to each other */
mtype = { IN, LOST, GENERATION_READ, PROCESS_READ };            /* the member and its coordinator */
mtype = { IDLE, TAKE_OVER, BIND, BEGIN_HEADER, PROCESS, END_HEADER, WALK, RECORD, TELL, GIVE_LIFE, BE_READY, DO_IT };

/* ---- in shared memory */
mtype actor[2] = LIVES;
bool is_remembered[2];              /* the journal still has its exit */
bool leased = true;                 /* to actor 1 */
mtype row = ABSENT;                 /* the member's */
bool has_token, life;
byte rows;                          /* how many rows this process has, by a mutant */
byte header_generation = 1, header_process = 1, count = 1;
byte settling = NOBODY;             /* which row says so */

/* ---- the coordinator's process; its memory */
byte process = 1;
bool coordinates = true, serves = true;
mtype step = IDLE;
byte generation = 1;                /* and its address, when it has bound that */
bool is_bound = true, is_in;        /* the member has said Rejoin, or joined */
bool watches[2], concerned;
byte doing_ask;

/* ---- between them: what is sent to an address that is not bound is lost */
chan up = [2] of { mtype, byte, byte };
chan down = [4] of { mtype, byte };

/* ---- the member's process */
bool alive = true;
mtype link = IN;
byte lane_to = 1, tried = 1, seen_generation, seen_process, watched = 1;
bool is_deceived;                   /* it watches a process that is not the coordinator */
bool is_member, knows[2], heard[2], is_welcome = true;
bool list[2];                       /* by a mutant: made too early */
mtype asking = NOTHING;
byte ask;                           /* its id */
bool is_said, was_located, was_signalled, has_left;

/* ---- what has happened */
byte told[2], done[6], reported[6]; /* by ask id: how often carried out, with how many outcomes */
bool is_gone[6];
byte deaths = 2, successors = SUCCESSORS, forgets = 1, member_deaths = MEMBER_DIES;
byte i;

#define SERVES (coordinates && serves && step == IDLE)
#define SAYS(what) if :: alive && link == IN && lane_to == generation && len(down) < 4 -> down ! what :: else fi
#define CAN_SAY (len(down) < 3)

inline end_ask(how) {
  reported[ask]++;
  PROMISE(reported[ask] == 1, "violated: a request has two outcomes\n");
  PROMISE(how != REFUSED || asking == SIGNAL || asking == LOCATE && actor[0] == OVER,
          "violated: a request ends as gone that could have been carried out\n");
  if :: how == REFUSED -> is_gone[ask] = true; printf("member: request %d ends as gone\n", ask) :: else ->
  printf("member: request %d is answered\n", ask) fi;
  if
  :: how == ANSWERED && asking == JOIN -> is_member = true; heard[1] = !leased
  :: how == ANSWERED && asking == LOCATE -> knows[0] = true; was_located = true
  :: how == REFUSED && asking == LOCATE -> was_located = true
  :: asking == SIGNAL -> was_signalled = true
  :: asking == LEAVE -> has_left = true; alive = false
  :: else
  fi;
  asking = NOTHING; is_said = false
}

inline close_lane() {
  do :: len(down) > 0 -> down ? _, _ :: else -> break od;
  if :: !LANE_RECONNECTS -> do :: len(up) > 0 -> up ? _, _, _ :: else -> break od :: else fi
}

inline lose_link() {
  list[0] = knows[0]; list[1] = knows[1];
  if :: !WATCHES_BEFORE_CLOSED -> close_lane() :: else fi;
  link = LOST; is_welcome = false; printf("member: its coordinator has ended\n");
  if
  :: asking == SIGNAL && is_said && !SIGNAL_REPEATED -> end_ask(REFUSED)
  :: else -> is_said = false
  fi
}

inline next_ask(what) { ask++; asking = what; is_said = false; printf("member: asks, request %d\n", ask) }

/* It has read the header, and found the process. */
inline open_lane() {
  if :: WATCHES_BEFORE_CLOSED -> close_lane() :: else -> list[0] = knows[0]; list[1] = knows[1] fi;
  link = IN; lane_to = seen_generation; watched = seen_process;
  is_deceived = (seen_process != process || !coordinates); tried = seen_generation; seen_generation = 0;
  seen_process = 0;
  if
  :: is_member && !REJOIN_BEHIND && coordinates && is_bound && generation == lane_to -> up ! REJOIN, list[0], list[1]
  :: is_member && REJOIN_BEHIND && coordinates && is_bound && generation == lane_to ->
     if :: asking != NOTHING -> up ! asking, ask, 0; is_said = true :: else fi;
     up ! REJOIN, list[0], list[1]
  :: !is_member -> is_welcome = true
  :: else
  fi;
  list[0] = false; list[1] = false; printf("member: opens a lane to generation %d\n", lane_to)
}

proctype Member() {
  mtype what; byte whom;
end:
  do
  /* what it wants, one after the other */
  :: d_step { alive && asking == NOTHING && !is_member && ask < 4 -> next_ask(JOIN) }
  :: d_step { alive && asking == NOTHING && is_member && !was_located && ask < 4 -> next_ask(LOCATE) }
  :: d_step { alive && asking == NOTHING && is_member && was_located && !was_signalled && ask < 4 -> next_ask(SIGNAL) }
  :: d_step { alive && asking == NOTHING && is_member && was_signalled && LEAVES && ask < 5 -> next_ask(LEAVE) }
  :: d_step { alive && link == IN && asking != NOTHING && !is_said && nfull(up) &&
       !(REJOIN_BEHIND && is_member && !is_welcome) ->
       is_said = true;
       if :: coordinates && is_bound && generation == lane_to || LANE_RECONNECTS -> up ! asking, ask, 0 :: else fi }

  /* what it is told */
  :: d_step { alive && (link == IN || WATCHES_BEFORE_CLOSED) && nempty(down) ->
       down ? what, whom;
       if
       :: what == EXITED && whom == 0 && (knows[0] || WATCHES_BEFORE_CLOSED) ->
          heard[0] = true; knows[0] = false; told[0]++; printf("member: hears that 0 has exited\n");
          PROMISE(told[0] == 1, "violated: a death is told twice\n")
       :: what == EXITED && (whom == 1 || !knows[0] && !WATCHES_BEFORE_CLOSED) ->
          PROMISE(false, "violated: a death is told to somebody who does not watch, or twice\n")
       :: what == NO_LIFE ->
          PROMISE(asking == LEAVE, "violated: a life is over that has not left\n");
          end_ask(ANSWERED)
       :: what == WELCOME -> is_welcome = true; if :: NOT_LOOKED_AGAIN -> what = NOTHING :: else fi
       :: (what == ANSWERED || what == REFUSED) && whom == ask && asking != NOTHING -> end_ask(what)
       :: else
       fi;
       if
       :: (what == EXITED || what == LOOK || what == WELCOME) && !leased && !heard[1] -> heard[1] = true;
            printf("member: its lease has ended\n")
       :: else
       fi;
       what = 0; whom = 0 }

  /* its coordinator has ended; the next one */
  :: d_step { alive && link == IN && !is_deceived && (watched != process || !coordinates) -> lose_link() }
  :: d_step { alive && link == LOST && header_generation > tried ->
       seen_generation = header_generation; link = GENERATION_READ }
  :: d_step { alive && link == GENERATION_READ -> seen_process = header_process; link = PROCESS_READ }
  :: d_step { alive && link == PROCESS_READ ->
       if
       :: header_generation != seen_generation && !HEADER_READ_ONCE -> link = LOST
       :: (seen_process != process || !coordinates) && !PROCESS_UNCHECKED &&
            (header_generation == seen_generation || HEADER_READ_ONCE) ->
          tried = seen_generation; link = LOST
       :: else -> open_lane()
       fi;
       if :: link == LOST -> seen_generation = 0; seen_process = 0 :: else fi }
  :: d_step { alive && member_deaths > 0 ->
       member_deaths--; alive = false; close_lane(); asking = NOTHING; printf("member: dies\n") }
  od
}

proctype Actors() {
end:
  do
  :: d_step { deaths > 0 && actor[0] == LIVES -> deaths--; actor[0] = ENDED; printf("actor 0: dies\n") }
  :: d_step { deaths > 0 && actor[1] == LIVES -> deaths--; actor[1] = ENDED; printf("actor 1: dies\n") }
  od
}

/* ---- the coordinator */
#define WORKS (coordinates && step != IDLE)

inline on_rejoin(zero, one) {
  is_in = true; printf("coordinator: the member rejoins\n");
  if
  :: zero && !PAST_UNREAD && actor[0] == OVER && (is_remembered[0] || !PAST_BY_JOURNAL) -> SAYS(EXITED(0))
  :: zero && !WATCHES_UNREAD && actor[0] != OVER -> watches[0] = true
  :: else
  fi;
  SAYS(WELCOME(0))
}

#define ACTOR_STEPS(x) \
  :: d_step { coordinates && step == IDLE && actor[x] == ENDED && settling == NOBODY -> \
       settling = x; step = WALK; printf("coordinator: settles %d\n", x) }

proctype Coordinator() {
  mtype what; byte first, second;
end:
  do
  /* deaths, in as many steps as matter here; in a take-over they come before it serves */
  ACTOR_STEPS(0)
  ACTOR_STEPS(1)
  :: d_step { WORKS && step == WALK ->
       if :: settling == 1 -> concerned = leased; leased = false :: else fi; step = RECORD }
  :: d_step { WORKS && step == RECORD -> actor[settling] = OVER; is_remembered[settling] = true; step = TELL }
  :: d_step { WORKS && step == TELL && CAN_SAY ->
       if :: settling == 0 && is_in && watches[0] -> SAYS(EXITED(0)) :: else fi;
       if :: settling == 1 && is_in && concerned -> SAYS(LOOK(0)) :: else fi;
       concerned = false; settling = NOBODY; step = IDLE }

  /* what the member says */
  :: d_step { SERVES && nempty(up) && CAN_SAY ->
       up ? what, first, second;
       if
       :: what == REJOIN && (life || READMITTED) -> on_rejoin(first, second)
       :: what == REJOIN && !life && !READMITTED -> SAYS(NO_LIFE(0)); printf("coordinator: refuses one that has left\n")
       :: what == JOIN ->
          PROMISE(!is_gone[first], "violated: what has ended as gone is carried out\n");
          if
          :: has_token && row == READY && !JOINS_AGAIN -> is_in = true; SAYS(ANSWERED(first))
          :: else -> has_token = true; row = STARTING; rows++; doing_ask = first; step = GIVE_LIFE
          fi
       :: what != REJOIN && what != JOIN && !is_in -> SAYS(REFUSED(first));
            printf("coordinator: refuses one that has not rejoined\n")
       :: what == LOCATE && is_in ->
          PROMISE(!is_gone[first], "violated: what has ended as gone is carried out\n");
          if
          :: actor[0] == OVER -> SAYS(REFUSED(first))
          :: else -> watches[0] = true; SAYS(ANSWERED(first))
          fi
       :: what == LEAVE && is_in ->
          PROMISE(life, "violated: one is served whose life is over\n");
          life = false; row = ABSENT; has_token = false; rows = 0; doing_ask = first; step = DO_IT;
          printf("coordinator: the member has left\n")
       :: what == SIGNAL && is_in ->
          PROMISE(!is_gone[first], "violated: what has ended as gone is carried out\n");
          done[first]++; printf("coordinator: sends a signal\n");
          PROMISE(done[first] == 1, "violated: a signal is sent twice\n");
          step = DO_IT; doing_ask = first
       fi;
       what = 0; first = 0; second = 0 }
  :: d_step { WORKS && step == GIVE_LIFE -> life = true; step = BE_READY }
  :: d_step { WORKS && step == BE_READY ->
       row = READY; is_in = true; step = DO_IT; printf("coordinator: the member has joined\n");
       PROMISE(rows == 1, "violated: one process is two members\n") }
  :: d_step { WORKS && step == DO_IT && CAN_SAY -> SAYS(ANSWERED(doing_ask)); doing_ask = 0; step = IDLE }
  :: d_step { SERVES && !alive && row != ABSENT ->
       row = ABSENT; life = false; has_token = false; rows = 0; is_in = false }

  :: d_step { coordinates && successors > 0 ->
       successors--; coordinates = false; is_bound = false; step = IDLE; serves = false; is_in = false;
       watches[0] = false; concerned = false;
       doing_ask = 0; settling = NOBODY; what = 0;
       if :: !LANE_RECONNECTS -> do :: len(up) > 0 -> up ? _, _, _ :: else -> break od :: else fi;
       printf("coordinator: dies\n") }
  :: d_step { !coordinates ->
       coordinates = true; process++; step = TAKE_OVER; printf("coordinator: the next one takes over\n") }
  :: d_step { WORKS && step == TAKE_OVER ->
       if :: row == STARTING && !HALF_JOINED_KEPT -> row = ABSENT; life = false; has_token = false; rows-- :: else fi;
       generation = count + 1; step = BIND;
       if
       :: actor[0] == ENDED -> settling = 0; step = WALK
       :: actor[0] != ENDED && actor[1] == ENDED -> settling = 1; step = WALK
       :: else
       fi }
  :: d_step { coordinates && !serves && step == IDLE && actor[0] != ENDED && actor[1] != ENDED -> step = BIND }
  :: d_step { WORKS && step == BIND -> count = generation; is_bound = true; step = BEGIN_HEADER }
  :: d_step { WORKS && step == BEGIN_HEADER -> if :: !HEADER_TORN -> header_generation = 0 :: else fi; step = PROCESS }
  :: d_step { WORKS && step == PROCESS -> header_process = process; step = END_HEADER }
  :: d_step { WORKS && step == END_HEADER ->
       header_generation = generation; serves = true; step = IDLE;
       printf("coordinator: generation %d serves\n", generation) }
  /* the journal has no room for all exits of a session */
  :: d_step { forgets > 0 && is_remembered[0] -> forgets--; is_remembered[0] = false }
  od
}

proctype Fate() {
end:
  do
  :: d_step { deaths + successors + forgets + member_deaths > 0 ->
       deaths = 0; successors = 0; forgets = 0; member_deaths = 0; printf("fate: from here on nothing goes wrong\n") }
  od
}

/* Nothing can happen any more. */
proctype Watch() {
end:
  timeout ->
    d_step {
      printf("watch: nothing moves any more\n");
      PROMISE(SERVES, "violated: the coordinator never comes to rest\n");
      PROMISE(!alive || link == IN && lane_to == generation && is_welcome,
              "violated: a member never finds the next coordinator\n");
      PROMISE(!alive || asking == NOTHING, "violated: a request has no outcome\n");
      PROMISE(!alive || actor[0] == LIVES || !knows[0], "violated: a death is not told to one that watches\n");
      PROMISE(!alive || !is_member || leased || heard[1], "violated: a member waits for a lease that has ended\n");
      PROMISE(!alive || rows == 1 || asking == LEAVE, "violated: one process is two members, or none\n");
      PROMISE(alive || row == ABSENT, "violated: I8, a death is never settled\n")
    }
}

init {
  c_code { if (getenv("BATON_LEFT_OUT")) now.left_out = atoi(getenv("BATON_LEFT_OUT")); };
  atomic { run Member(); run Actors(); run Coordinator(); run Fate(); run Watch() }
}
