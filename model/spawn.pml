/* Spawns across coordinators (model/takeover.md, P), as a model for spin. model/run.py runs it; how it is written is
   said in ownership.pml.

   A member asks for actors, one after the other, each within a deadline. The coordinator writes a row of the roster
   and sends a request to the anchor, which starts the process and writes in its table what has become of it. The
   coordinator may die between any two steps, the member and the actors as well; the anchor does not. A member repeats
   an open ask when it has found the next coordinator. */

#ifndef ASKS
#define ASKS 2
#endif
#ifndef NUMBERS
#define NUMBERS 2
#endif
#ifndef SUCCESSORS
#define SUCCESSORS 2        /* how often the coordinator dies */
#endif
#ifndef CRASHES
#define CRASHES 1           /* of actors */
#endif
#ifndef ASKER_CRASHES
#define ASKER_CRASHES 1
#endif
#ifndef DEADLINES
#define DEADLINES 1         /* how many asks take too long */
#endif
#ifndef FAILURES
#define FAILURES 1          /* programs that cannot be started */
#endif
#ifndef LEFT_OUT
#define LEFT_OUT 0
#endif
byte left_out = LEFT_OUT;
#define ROW_LATE              (left_out ==  1)  /* the row says starting only when the request has been sent */
#define KEY_LATE              (left_out ==  2)  /* ... and for which ask */
#define NO_KEY                (left_out ==  3)  /* a repeated ask is not recognized */
#define KEY_FORGOTTEN         (left_out ==  4)  /* ... is looked for among the living only */
#define SOCKET_KEPT           (left_out ==  5)  /* the last socket is closed when the next coordinator is there */
#define NEVER_UNDONE          (left_out ==  6)  /* a spawn that the anchor does not know stays as it is */
#define UNDONE_AT_ONCE        (left_out ==  7)  /* ... is undone also while its request is on its way */
#define NEWS_ONLY             (left_out ==  8)  /* a take-over looks only at rows of the table with news */
#define NEWS_CLEARED_LATE     (left_out ==  9)  /* a row of the table is looked at, then its bit is cleared */
#define NEWS_FIRST            (left_out == 10)  /* the anchor sets the bit, then writes the row */
#define READY_UNSAID          (left_out == 11)  /* an actor says once that it is ready */
#define CHILDREN_UNNAMED      (left_out == 12)  /* a rejoining member does not say which children it knows */
#define ORPHANS_FORGOTTEN     (left_out == 13)  /* only who settles a parent stops its children */
#define ASK_UNREPEATED        (left_out == 14)  /* a member does not repeat what it has asked */
#define UNDONE_IS_RECORDED    (left_out == 15)  /* the exit of one that was never started is recorded */
#define FREED_UNRECORDED      (left_out == 16)  /* a number is free again before the exit is recorded */
#define REAPED_FIRST          (left_out == 17)  /* the anchor reaps a process, then writes that it has exited */
#define PID_UNCHECKED         (left_out == 18)  /* a pid of the table is signalled without a second look at the row */
#define TABLE_TORN            (left_out == 19)  /* life and state of the table's row are two words */
#define UNWANTED_WHEN_LATE    (left_out == 20)  /* what was given up is unwanted only when its answer comes after all */

#define PROMISE(condition, story) if :: !(condition) -> printf(story); assert(false) :: else fi
#define NONE 9

mtype = { FREE, STARTING, READY, SETTLING };                        /* the roster's word of a number */
mtype = { NO_PROCESS, RUNNING, EXITED };        /* the anchor's; what cannot be started has exited, too */
mtype = { UNKNOWN, SPAWNED, FAILED, GIVEN_UP };                     /* how an ask ends */
mtype = { IDLE, FIELDS, STAND, GIVE_LIFE, REQUEST, LATE_ROW, LATE_KEY, LOOK_AT, CLEAR_NEWS,
          TAKE_LIFE, RECORD, SET_FREE, ANSWER, OPENED, SIGNAL };
mtype = { SERVES, SCANS };

/* ---- in shared memory: roster, journal, ledger */
mtype standing[NUMBERS] = FREE;
byte last[NUMBERS], key[NUMBERS], life[NUMBERS];
bool has_ended[ASKS + 1];           /* the journal has an exit of the actor that was started for this ask */
bool is_asker_settled;

/* ---- the anchor's table, and its sockets: number and life that a request is for */
mtype process[NUMBERS] = NO_PROCESS;
byte process_life[NUMBERS];
bool news[NUMBERS], to_tell[NUMBERS], to_run[NUMBERS];
byte request = NONE, request_life, request_key;
byte old_request = NONE, old_life, old_key;
bool is_closed = true;              /* the socket of the last coordinator */

/* ---- processes of actors */
bool is_reaped[NUMBERS], is_reused[NUMBERS];         /* its pid: free, another process's */
bool runs[NUMBERS], is_made[NUMBERS], has_said[NUMBERS];
byte of_ask[NUMBERS];               /* which ask it was really started for */

/* ---- the asker: a member */
bool is_asker_alive = true;
bool is_in = true, is_said;         /* it has a lane to a coordinator, which has its open ask */
byte lane_to;                       /* ... which one */
byte asking, asked;
mtype outcome[ASKS + 1] = UNKNOWN;
byte answer_of;                     /* the answer on its way */
mtype answer = UNKNOWN;
bool kill_sent;                     /* what it has given up is unwanted: on its way */
byte kill_of;

/* ---- the coordinator's memory */
bool coordinates = true;
byte generation;
mtype serving = SERVES, step = IDLE;
byte inbox, for_ask, number = NONE, scanned;
bool is_undone, is_anothers;
bool open[ASKS + 1];                /* is to be answered when its actor is ready */
bool is_ready[NUMBERS], doomed[NUMBERS];

/* ---- what has happened */
byte started[ASKS + 1];
bool could_not[ASKS + 1];           /* ... be started */
bool is_late[ASKS + 1];
byte crashes = CRASHES, asker_crashes = ASKER_CRASHES, successors = SUCCESSORS;
byte deadlines = DEADLINES, failures = FAILURES, reuses = 1;
byte i;

#define IS_IN (is_in && lane_to == generation)
#define SERVED (coordinates && serving == SERVES)
#define CAN_BEGIN (SERVED && step == IDLE)
#define IS_IN_TABLE(n) (process_life[n] == last[n] && process[n] != NO_PROCESS)
#define HAS_EXITED(n) (process_life[n] == last[n] && process[n] == EXITED)
#define KNOWS(ask) (outcome[ask] == SPAWNED || asking == ask)

inline end_ask(ask, how) {
  PROMISE(outcome[ask] == UNKNOWN, "violated: an ask has two outcomes\n");
  PROMISE(how != FAILED || started[ask] > 0 || could_not[ask] || is_late[ask],
          "violated: an ask has failed for nothing\n");
  outcome[ask] = how; asking = 0; is_said = false
}

proctype Asker() {
end:
  do
  :: d_step { is_asker_alive && asking == 0 && asked < ASKS ->
       asked++; asking = asked; printf("asker: asks %d\n", asking) }
  :: d_step { is_asker_alive && asking != 0 && IS_IN && !is_said && SERVED && inbox == 0 ->
       inbox = asking; is_said = true }
  :: d_step { is_asker_alive && answer_of != 0 && is_in ->
       if
       :: answer_of == asking -> printf("asker: ask %d has an answer\n", asking); end_ask(asking, answer)
       :: answer_of != asking && answer == SPAWNED && outcome[answer_of] == GIVEN_UP && UNWANTED_WHEN_LATE ->
          printf("asker: the answer to %d is late\n", answer_of); kill_sent = true; kill_of = answer_of
       :: else
       fi;
       answer_of = 0; answer = UNKNOWN }
  :: d_step { deadlines > 0 && asking != 0 && !is_late[asking] ->
       deadlines--; is_late[asking] = true; printf("asker: the deadline of %d has passed\n", asking) }
  :: d_step { is_asker_alive && asking != 0 && is_late[asking] -> printf("asker: gives %d up\n", asking);
       if :: IS_IN && !UNWANTED_WHEN_LATE -> kill_sent = true; kill_of = asking :: else fi;
       end_ask(asking, GIVEN_UP) }
  /* it sees that its coordinator has ended; what that has said, and not been read, is lost */
  :: d_step { is_asker_alive && is_in && (!coordinates || lane_to != generation) ->
       is_in = false; answer_of = 0; answer = UNKNOWN; is_said = is_said && ASK_UNREPEATED }
  :: d_step { is_asker_alive && !is_in && CAN_BEGIN ->
       is_in = true; lane_to = generation; printf("asker: rejoins\n");
       for (i : 0 .. NUMBERS - 1) {
         if
         :: (standing[i] == STARTING || standing[i] == READY) && !KNOWS(key[i]) && !CHILDREN_UNNAMED -> doomed[i] = true
         :: else
         fi
       }
       i = 0 }
  :: d_step { is_asker_alive && asker_crashes > 0 ->
       asker_crashes--; is_asker_alive = false; asking = 0; answer_of = 0; answer = UNKNOWN; printf("asker: dies\n") }
  :: d_step { !is_asker_alive && answer_of != 0 -> answer_of = 0; answer = UNKNOWN }
  od
}

/* ---- the anchor, and the processes that it has started */
#define START(n, its_life, its_key) \
  PROMISE(started[its_key] == 0, "violated: two processes are started for one ask\n"); \
  if \
  :: runs[n] || process_life[n] >= its_life -> PROMISE(false, "violated: a life is started twice, or too late\n") \
  :: else \
  fi; \
  process_life[n] = its_life; \
  if \
  :: failures > 0 -> \
     failures--; could_not[its_key] = true; process[n] = EXITED; to_tell[n] = true; \
     printf("anchor: cannot start number %d\n", n) \
  :: true -> \
     if :: TABLE_TORN -> to_run[n] = true :: else -> process[n] = RUNNING fi; \
     runs[n] = true; is_reaped[n] = false; is_reused[n] = false; is_made[n] = false; has_said[n] = false; \
     of_ask[n] = its_key; started[its_key]++; to_tell[n] = true; \
     printf("anchor: starts number %d, life %d\n", n, its_life) \
  fi

#define PROCESS_STEPS(n) \
  :: d_step { runs[n] && !is_made[n] -> is_made[n] = true } \
  :: d_step { runs[n] && is_made[n] && SERVED && !is_ready[n] && !(READY_UNSAID && has_said[n]) -> \
       is_ready[n] = true; has_said[n] = true } \
  :: d_step { runs[n] && crashes > 0 -> crashes--; runs[n] = false; printf("actor %d: exits\n", n) } \
  :: d_step { !runs[n] && process[n] == RUNNING && !to_tell[n] && !NEWS_FIRST && !REAPED_FIRST -> \
       process[n] = EXITED; to_tell[n] = true } \
  :: d_step { !runs[n] && process[n] == RUNNING && !to_tell[n] && REAPED_FIRST && !is_reaped[n] -> \
       is_reaped[n] = true } \
  :: d_step { !runs[n] && process[n] == RUNNING && !to_tell[n] && REAPED_FIRST && is_reaped[n] -> \
       process[n] = EXITED; to_tell[n] = true } \
  :: d_step { is_reaped[n] && !is_reused[n] && reuses > 0 -> \
       reuses--; is_reused[n] = true; printf("anchor: its pid is that of another process\n") } \
  :: d_step { !runs[n] && process[n] == RUNNING && !to_tell[n] && NEWS_FIRST -> news[n] = true; to_tell[n] = true } \
  :: d_step { to_run[n] -> process[n] = RUNNING; to_run[n] = false } \
  :: d_step { to_tell[n] && !to_run[n] -> to_tell[n] = false; \
       if \
       :: NEWS_FIRST && process[n] == RUNNING && !runs[n] -> process[n] = EXITED \
       :: else -> news[n] = true; is_reaped[n] = is_reaped[n] || process[n] == EXITED \
       fi }

proctype Anchor() {
end:
  do
  :: atomic { request != NONE ->
       START(request, request_life, request_key); request = NONE; request_life = 0; request_key = 0 }
  :: atomic { old_request != NONE ->
       START(old_request, old_life, old_key); old_request = NONE; old_life = 0; old_key = 0 }
  PROCESS_STEPS(0)
  PROCESS_STEPS(1)
  :: d_step { !coordinates && !is_closed && !SOCKET_KEPT && !to_run[0] && !to_run[1] ->
       is_closed = true; request = NONE; request_life = 0; request_key = 0; printf("anchor: closes the socket\n") }
  :: d_step { !coordinates && (is_closed || SOCKET_KEPT) ->
       if
       :: SOCKET_KEPT ->
          old_request = request; old_life = request_life; old_key = request_key;
          request = NONE; request_life = 0; request_key = 0
       :: else
       fi;
       coordinates = true; generation++; is_closed = false; serving = SCANS; scanned = 0;
       printf("anchor: starts the next coordinator\n") }
  :: d_step { coordinates && old_request != NONE -> old_request = NONE; old_life = 0; old_key = 0 }
  od
}

/* ---- the coordinator */
inline look_up() {                  /* for_ask */
  number = NONE;
  for (i : 0 .. NUMBERS - 1) {
    if :: standing[i] != FREE && key[i] == for_ask && !NO_KEY -> number = i :: else fi
  }
  if
  :: number != NONE && standing[number] == READY -> step = ANSWER
  :: number != NONE && standing[number] != READY -> open[for_ask] = true; number = NONE; step = IDLE; for_ask = 0
  :: number == NONE && (has_ended[for_ask] && !KEY_FORGOTTEN && !NO_KEY || is_late[for_ask] || is_asker_settled) ->
     answer_of = for_ask; answer = FAILED; for_ask = 0; step = IDLE
  :: else ->
     i = 0;
     do
     :: i < NUMBERS && standing[i] != FREE -> i++
     :: else -> break
     od;
     if
     :: i < NUMBERS -> number = i; step = FIELDS
     :: else -> could_not[for_ask] = true; answer_of = for_ask; answer = FAILED; for_ask = 0; step = IDLE
     fi
  fi;
  i = 0
}

inline rest() { step = IDLE; number = NONE; for_ask = 0; is_undone = false }
inline begin_to_settle(n, undone) {
  standing[n] = SETTLING; number = n; is_undone = undone; step = TAKE_LIFE;
  printf("coordinator: settles number %d, life %d\n", n, last[n])
}

#define NUMBER_STEPS(n) \
  /* P4: it is ready */ \
  :: d_step { CAN_BEGIN && standing[n] == STARTING && is_ready[n] && !doomed[n] && answer_of == 0 && \
       (NO_KEY || key[n] != 0) -> \
       standing[n] = READY; number = n; for_ask = key[n]; step = ANSWER; \
       printf("coordinator: number %d is ready\n", n) } \
  /* its deadline has passed, or its asker does not know it, or has died */ \
  :: d_step { CAN_BEGIN && standing[n] == STARTING && is_late[key[n]] && !doomed[n] -> doomed[n] = true } \
  :: d_step { CAN_BEGIN && is_asker_settled && !ORPHANS_FORGOTTEN && \
       (standing[n] == STARTING || standing[n] == READY) && !doomed[n] -> doomed[n] = true } \
  :: d_step { CAN_BEGIN && doomed[n] && process[n] == RUNNING && process_life[n] == last[n] && \
       (runs[n] || is_reused[n]) -> \
       number = n; is_anothers = is_reused[n]; step = (PID_UNCHECKED -> SIGNAL : OPENED) } \
  :: d_step { CAN_BEGIN && kill_sent && inbox == 0 && (standing[n] == STARTING || standing[n] == READY) && \
       key[n] == kill_of -> kill_sent = false; kill_of = 0; doomed[n] = true } \
  /* the anchor's news */ \
  :: d_step { CAN_BEGIN && news[n] && !NEWS_CLEARED_LATE -> news[n] = false; number = n; step = LOOK_AT } \
  :: d_step { CAN_BEGIN && news[n] && NEWS_CLEARED_LATE -> \
       number = n; step = CLEAR_NEWS; \
       if :: standing[n] != FREE && HAS_EXITED(n) -> begin_to_settle(n, false) :: else fi } \
  /* K2, K3 */ \
  :: d_step { coordinates && serving == SCANS && step == IDLE && scanned == n -> \
       scanned++; \
       if \
       :: standing[n] == SETTLING -> number = n; is_undone = !IS_IN_TABLE(n); step = TAKE_LIFE \
       :: (standing[n] == STARTING || standing[n] == READY) && HAS_EXITED(n) && !(NEWS_ONLY && !news[n]) -> \
            begin_to_settle(n, false) \
       :: standing[n] == STARTING && !IS_IN_TABLE(n) && !NEVER_UNDONE -> begin_to_settle(n, true) \
       :: else \
       fi }

proctype Coordinator() {
end:
  do
  :: d_step { CAN_BEGIN && inbox != 0 && answer_of == 0 -> for_ask = inbox; inbox = 0; look_up() }
  /* P1, P2 */
  :: d_step { coordinates && step == FIELDS ->
       if :: !KEY_LATE -> key[number] = for_ask :: else fi; last[number]++; step = (ROW_LATE -> GIVE_LIFE : STAND) }
  :: d_step { coordinates && step == STAND ->
       standing[number] = STARTING; step = GIVE_LIFE; printf("coordinator: number %d is starting\n", number) }
  :: d_step { coordinates && step == GIVE_LIFE -> life[number] = last[number]; step = REQUEST }
  :: d_step { coordinates && step == REQUEST && request == NONE ->
       request = number; request_life = last[number]; request_key = for_ask; open[for_ask] = true;
       if :: ROW_LATE -> step = LATE_ROW :: KEY_LATE -> step = LATE_KEY :: else -> rest() fi }
  :: d_step { coordinates && step == LATE_ROW -> standing[number] = STARTING; rest() }
  :: d_step { coordinates && step == LATE_KEY -> key[number] = for_ask; rest() }

  :: d_step { coordinates && step == ANSWER && answer_of == 0 ->
       if :: is_asker_alive && IS_IN -> answer_of = for_ask; answer = SPAWNED :: else fi;
       open[for_ask] = false; rest() }

  NUMBER_STEPS(0)
  NUMBER_STEPS(1)
  :: d_step { CAN_BEGIN && kill_sent && inbox == 0 && key[0] != kill_of && key[1] != kill_of ->
       kill_sent = false; kill_of = 0 }

  :: d_step { coordinates && step == CLEAR_NEWS -> news[number] = false; rest() }
  :: d_step { coordinates && step == LOOK_AT ->
       if
       :: (standing[number] == STARTING || standing[number] == READY) && HAS_EXITED(number) ->
            begin_to_settle(number, false)
       :: UNDONE_AT_ONCE && standing[number] == STARTING && !IS_IN_TABLE(number) -> begin_to_settle(number, true)
       :: else -> rest()
       fi }
  /* it has opened a pidfd by the pid in the row, or is about to, and looks at the row again */
  :: d_step { coordinates && step == OPENED && process[number] == RUNNING ->
       PROMISE(!is_anothers, "violated: a process of somebody else is killed\n");
       runs[number] = false; printf("coordinator: kills number %d\n", number); is_anothers = false; rest() }
  :: d_step { coordinates && step == OPENED && process[number] != RUNNING -> is_anothers = false; rest() }
  :: d_step { coordinates && step == SIGNAL ->
       PROMISE(!is_reused[number], "violated: a process of somebody else is killed\n");
       runs[number] = false; printf("coordinator: kills number %d\n", number); is_anothers = false; rest() }
  /* of a settling, what concerns spawns */
  :: d_step { coordinates && step == TAKE_LIFE ->
       life[number] = 0; is_ready[number] = false; doomed[number] = false;
       news[number] = news[number] && !NEWS_CLEARED_LATE;
       step = (FREED_UNRECORDED -> SET_FREE : RECORD) }
  :: d_step { coordinates && step == RECORD && (answer_of == 0 || !open[key[number]]) ->
       if
       :: !is_undone || UNDONE_IS_RECORDED ->
          has_ended[key[number]] = true; printf("coordinator: records the exit of number %d\n", number)
       :: else
       fi;
       if
       :: open[key[number]] ->
          if :: is_asker_alive && IS_IN -> answer_of = key[number]; answer = FAILED :: else fi;
          open[key[number]] = false
       :: else
       fi;
       if :: FREED_UNRECORDED -> rest() :: else -> step = SET_FREE fi }
  :: d_step { coordinates && step == SET_FREE ->
       standing[number] = FREE; if :: FREED_UNRECORDED -> step = RECORD :: else -> key[number] = 0; rest() fi }

  :: d_step { CAN_BEGIN && !is_asker_alive && !is_asker_settled ->
       is_asker_settled = true; printf("coordinator: settles the asker\n");
       if
       :: ORPHANS_FORGOTTEN ->
          for (i : 0 .. NUMBERS - 1) { if :: standing[i] != FREE -> doomed[i] = true :: else fi }
          i = 0
       :: else
       fi }
  :: d_step { coordinates && serving == SCANS && step == IDLE && scanned == NUMBERS -> serving = SERVES; scanned = 0 }

  :: d_step { coordinates && successors > 0 ->
       successors--; coordinates = false; serving = SERVES; rest(); is_anothers = false; inbox = 0; scanned = 0;
       kill_sent = false; kill_of = 0;
       for (i : 0 .. NUMBERS - 1) { is_ready[i] = false; doomed[i] = false }
       for (i : 1 .. ASKS) { open[i] = false }
       i = 0; is_closed = false; printf("coordinator: dies\n") }
  od
}

proctype Fate() {
end:
  do
  :: d_step { crashes + asker_crashes + deadlines + failures + successors + reuses > 0 ->
       crashes = 0; asker_crashes = 0; deadlines = 0; failures = 0; successors = 0; reuses = 0;
       printf("fate: from here on nothing goes wrong\n") }
  od
}

/* Nothing can happen any more. */
proctype Watch() {
end:
  timeout ->
    d_step {
      printf("watch: nothing moves any more\n");
      PROMISE(SERVED && step == IDLE, "violated: the coordinator never comes to rest\n");
      for (i : 0 .. NUMBERS - 1) {
        PROMISE(standing[i] == FREE || standing[i] == READY, "violated: a spawn never ends\n");
        PROMISE(!runs[i] || standing[i] == READY && process_life[i] == last[i],
                "violated: a process runs that nobody knows\n");
        PROMISE(standing[i] != READY || runs[i] && life[i] == last[i],
                "violated: an actor is said to live that has exited\n");
        PROMISE(!runs[i] || is_asker_alive && outcome[of_ask[i]] == SPAWNED,
                "violated: an actor runs that nobody has asked for, or that was given up\n");
        PROMISE(standing[i] == READY || life[i] == 0, "violated: a life stands in the ledger for nobody\n")
      }
      for (i : 1 .. ASKS) {
        PROMISE(!is_asker_alive || i > asked || outcome[i] != UNKNOWN, "violated: an ask has no outcome\n");
        PROMISE(outcome[i] != SPAWNED || started[i] == 1,
                "violated: an ask was answered with an actor that was never started\n")
      }
    }
}

init {
  c_code { if (getenv("BATON_LEFT_OUT")) now.left_out = atoi(getenv("BATON_LEFT_OUT")); };
  atomic { run Asker(); run Anchor(); run Coordinator(); run Fate(); run Watch() }
}
