/* The ring of a lane, as a model for spin: a chain of chunks with one writer and one reader. model/run.py runs it;
   how it is written is said in ownership.pml. How one wakes the other is in bell.pml.

   A chunk is filled from its start with records, and the last one is a jump to the start of another chunk. A
   position is a sequence number, which grows by one with each jump, and an offset in the area; both are in one word.
   `written` is the writer's word. The reader has two. It stores `taken` before it handles a record, and from there
   on the coordinator reads what a dead reader has left. It stores `freed` when the bytes of the record are not
   needed any more, since a record is read in place. When it has passed a jump it stores both, `taken` first.

   The writer uses a chunk again when `freed` is in a later one. It uses the chunk that it is in again, from the
   start, when the ring is empty: there may be no other, and a lane with little in it needs no other. Until the
   reader has passed such a jump, the writer stays before it. If the record has no room there either, the jump is
   published alone, and the writer waits until the reader has passed it. */

#ifndef CHUNKS
#define CHUNKS 2            /* in the area; all but the first are committed when they are needed, if that succeeds */
#endif
#ifndef RECORDS
#define RECORDS 4
#endif
#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef LEFT_OUT
#define LEFT_OUT 0
#endif
byte left_out = LEFT_OUT;
#define CURRENT_GIVEN_BACK  (left_out ==  1)  /* all chunks but the first are given back, also the current one */
#define GIVEN_BACK_FULL     (left_out ==  2)  /* chunks are given back while the ring is not empty */
#define FREED_WHEN_TAKEN    (left_out ==  3)  /* the reader has one word, and stores it before it handles the record */
#define LETTERS_FROM_FREED  (left_out ==  4)  /* the coordinator begins at `freed` */
#define FREE_AT_ITS_END     (left_out ==  5)  /* a chunk is free when `freed` has come to its jump, not yet beyond it */
#define JUMP_LATE           (left_out ==  6)  /* the first record of a chunk is published before the jump to it */
#define NEVER_ITS_OWN       (left_out ==  7)  /* the current chunk is not used again when the ring is empty */
#define ITS_OWN_WHEN_TAKEN  (left_out ==  8)  /* ... is used again when all has been taken, though not yet freed */
#define TOLD_BY_CHUNK       (left_out ==  9)  /* the reader tells of room only when it has passed a chunk */
#define FILLED_TO_THE_END   (left_out == 10)  /* a chunk is filled to its end, with no place left for the jump */
#define JUMP_OVERWRITTEN    (left_out == 12)  /* the writer does not stay before a jump to the start of its own chunk */
#define NEVER_ALONE         (left_out == 13)  /* no jump is published without a record behind it */
#define JUMP_NOT_TAKEN      (left_out == 14)  /* the reader stores only `freed` when it has passed a jump */
#define TWO_STORES          (left_out == 11)  /* sequence number and offset of `written` are two stores */

#define PROMISE(condition, story) if :: !(condition) -> printf(story); assert(false) :: else fi

mtype = { IDLE, WRITES, JUMPS, JUMPS_ALONE, PUBLISHES, PUBLISHES_OFFSET, WAITS };   /* the writer */
mtype = { READS, WALKS, HANDLES, FREES };                              /* the reader */
mtype = { UNSENT, PUBLISHED, IN_HAND, HANDLED, LETTER };               /* a record */

#define CELLS 4             /* of a chunk; a record takes one to three, a jump takes one */
#define JUMP 100
#define CHUNK(offset) ((offset) / CELLS)

typedef Position { byte sequence; byte offset }
/* ---- shared */
Position written, taken, freed;
byte cell[CHUNKS * CELLS];  /* 0: nothing; else the record of which it is a part, or a jump */
bool is_committed[CHUNKS];
bool wants_room, is_told;   /* the writer wants room, and is told to look for it: see bell.pml */

/* ---- the writer */
mtype writing = IDLE;
Position next;              /* where `written` will be */
byte sequence_of[CHUNKS];   /* when each chunk was used last, 0: never */
byte number, size;          /* of the record that it is writing */
byte jump_at;               /* where the last jump lies, if that leads to the start of its own chunk, else 0 */

/* ---- the reader */
mtype reading = IDLE;
Position at, seen;
byte hand, hand_offset, hand_size, last;
bool has_passed;

/* ---- the coordinator */
Position looked;
bool is_looking;

bool is_writer_alive = true, is_reader_alive = true, is_exit_told;
byte crashes = CRASHES;
mtype fate[RECORDS + 1] = UNSENT;

#define ARE_EQUAL(a, b) (a.sequence == b.sequence && a.offset == b.offset)
/* the reader has not yet passed the jump from this chunk to itself */
#define IS_BOUNDED (jump_at != 0 && freed.sequence < written.sequence && !JUMP_OVERWRITTEN)
#define BOUND (IS_BOUNDED -> jump_at : CHUNK(written.offset) * CELLS + CELLS)
#define FOR_A_JUMP (FILLED_TO_THE_END -> 0 : 1)
#define FITS(cells) (written.offset + (cells) + FOR_A_JUMP <= BOUND)
#define FITS_BEFORE(cells) (CHUNK(written.offset) * CELLS + (cells) + FOR_A_JUMP <= written.offset)
#define IS_EMPTY (ITS_OWN_WHEN_TAKEN && ARE_EQUAL(taken, written) || ARE_EQUAL(freed, written))
#define IS_PASSED(c) (sequence_of[c] < freed.sequence || \
                      FREE_AT_ITS_END && sequence_of[c] == freed.sequence && cell[freed.offset] >= JUMP)
#define IS_CURRENT(c) (CHUNK(written.offset) == (c))
#define IS_FREE(c) (is_committed[c] && (!IS_CURRENT(c) && IS_PASSED(c) || \
                                        IS_CURRENT(c) && IS_EMPTY && FITS_BEFORE(size) && !NEVER_ITS_OWN))
/* nothing else is free or can be committed, and the ring is empty */
#define MUST_JUMP_ALONE (IS_EMPTY && !FITS_BEFORE(size) && !NEVER_ITS_OWN && !NEVER_ALONE)

inline put(where, what) {
  PROMISE(is_committed[CHUNK(where)], "violated: bytes are written that are not committed\n");
  cell[where] = what
}
inline put_record(where) {
  put(where, number);
  if :: size > 1 -> put((where) + 1, number) :: else fi;
  if :: size > 2 -> put((where) + 2, number) :: else fi
}
inline begin_in(c) {
  next.sequence = written.sequence + 1; next.offset = (c) * CELLS + size; writing = JUMPS;
  put_record((c) * CELLS);
  printf("actor 0: writes record %d, %d cells, in chunk %d\n", number, size, c)
}

proctype Writer() {
end:
  do
  :: d_step { is_writer_alive && writing == IDLE && number < RECORDS -> number++; size = 1; writing = WRITES }
  :: d_step { is_writer_alive && writing == IDLE && number < RECORDS -> number++; size = 2; writing = WRITES }
  :: d_step { is_writer_alive && writing == IDLE && number < RECORDS -> number++; size = 3; writing = WRITES }
  /* into the chunk that it is in, or else into the next */
  :: d_step { is_writer_alive && writing == WRITES && FITS(size) ->
       put_record(written.offset);
       next.sequence = written.sequence; next.offset = written.offset + size; writing = PUBLISHES;
       printf("actor 0: writes record %d, %d cells\n", number, size) }
  :: d_step { is_writer_alive && writing == WRITES && !FITS(size) && IS_FREE(0) -> begin_in(0) }
#if CHUNKS > 1
  :: d_step { is_writer_alive && writing == WRITES && !FITS(size) && IS_FREE(1) -> begin_in(1) }
  :: d_step { is_writer_alive && writing == WRITES && !FITS(size) && !is_committed[1] ->
       is_committed[1] = true; sequence_of[1] = 0; printf("actor 0: commits chunk 1\n") }
  :: d_step { is_writer_alive && writing == WRITES && !FITS(size) && !is_committed[0] ->
       is_committed[0] = true; sequence_of[0] = 0; printf("actor 0: commits chunk 0\n") }
#endif
  :: d_step { is_writer_alive && writing == JUMPS ->
       if
       :: JUMP_LATE
       :: else ->
          PROMISE(written.offset < BOUND, "violated: there is no place for a jump\n");
          put(written.offset, JUMP + CHUNK(next.offset))
       fi;
       jump_at = (CHUNK(next.offset) == CHUNK(written.offset) -> written.offset : 0);
       sequence_of[CHUNK(next.offset)] = next.sequence; writing = PUBLISHES }
  :: d_step { is_writer_alive && writing == WRITES && !FITS(size) && MUST_JUMP_ALONE ->
       put(written.offset, JUMP + CHUNK(written.offset)); jump_at = written.offset; writing = JUMPS_ALONE;
       printf("actor 0: writes a jump only\n") }
  :: d_step { is_writer_alive && writing == JUMPS_ALONE ->
       written.sequence++; written.offset = CHUNK(written.offset) * CELLS;
       sequence_of[CHUNK(written.offset)] = written.sequence;
       writing = WRITES; printf("actor 0: publishes a jump\n") }
  /* one release store publishes the record, and a jump together with the record behind it */
  :: d_step { is_writer_alive && writing == PUBLISHES ->
       fate[number] = PUBLISHED;
       if
       :: TWO_STORES -> written.sequence = next.sequence; writing = PUBLISHES_OFFSET
       :: else ->
          size = written.offset;
          written.sequence = next.sequence; written.offset = next.offset;
          writing = (JUMP_LATE && CHUNK(size) != CHUNK(next.offset) -> PUBLISHES_OFFSET : IDLE);
          next.sequence = 0; next.offset = 0; if :: writing == IDLE -> size = 0 :: else fi;
          printf("actor 0: publishes record %d\n", number)
       fi }
  :: d_step { is_writer_alive && writing == PUBLISHES_OFFSET ->
       if :: JUMP_LATE -> put(size, JUMP + CHUNK(written.offset)) :: else -> written.offset = next.offset fi;
       size = 0; writing = IDLE }
  /* is full */
  :: d_step { is_writer_alive && writing == WRITES && !FITS(size) && !IS_FREE(0) && (CHUNKS == 1 ||
       !IS_FREE(CHUNKS - 1)) && !MUST_JUMP_ALONE ->
       wants_room = true; is_told = false; writing = WAITS; printf("actor 0: waits for room\n") }
  :: d_step { is_writer_alive && writing == WAITS && is_told -> wants_room = false; is_told = false; writing = WRITES }
  :: d_step { is_writer_alive && writing == WAITS && is_exit_told -> fate[number] = UNSENT; number = RECORDS;
       writing = IDLE; printf("actor 0: is told that its reader is gone\n") }
  /* gives back what it does not need, when the ring is empty */
#if CHUNKS > 1
  :: d_step { is_writer_alive && writing == IDLE && (ARE_EQUAL(freed, written) || GIVEN_BACK_FULL) &&
       is_committed[1] && (CHUNK(written.offset) != 1 || CURRENT_GIVEN_BACK) ->
       is_committed[1] = false; cell[4] = 0; cell[5] = 0; cell[6] = 0; cell[7] = 0;
       printf("actor 0: gives chunk 1 back\n") }
  :: d_step { is_writer_alive && writing == IDLE && (ARE_EQUAL(freed, written) || GIVEN_BACK_FULL) &&
       is_committed[0] && CHUNK(written.offset) != 0 && !CURRENT_GIVEN_BACK ->
       is_committed[0] = false; cell[0] = 0; cell[1] = 0; cell[2] = 0; cell[3] = 0;
       printf("actor 0: gives chunk 0 back\n") }
#endif
  :: d_step { is_writer_alive && crashes > 0 -> crashes--; is_writer_alive = false; printf("actor 0: dies\n") }
  od
}

proctype Reader() {
end:
  do
  :: d_step { is_reader_alive && reading == IDLE && !ARE_EQUAL(at, written) ->
       seen.sequence = written.sequence; seen.offset = written.offset; reading = WALKS }
  :: d_step { is_reader_alive && reading == WALKS && ARE_EQUAL(at, seen) -> reading = IDLE; seen.sequence = 0;
       seen.offset = 0 }
  :: d_step { is_reader_alive && reading == WALKS && !ARE_EQUAL(at, seen) && cell[at.offset] >= JUMP ->
       at.sequence++; at.offset = (cell[at.offset] - JUMP) * CELLS; has_passed = true;
       if :: JUMP_NOT_TAKEN :: else -> taken.sequence = at.sequence; taken.offset = at.offset fi;
       reading = FREES }
  :: d_step { is_reader_alive && reading == WALKS && !ARE_EQUAL(at, seen) && cell[at.offset] < JUMP ->
       hand = cell[at.offset]; hand_offset = at.offset;
       PROMISE(hand == last + 1, "violated: the reader finds something else than the next record\n");
       PROMISE(fate[hand] == PUBLISHED, "violated: a record is taken that is not published\n");
       hand_size = 1;
       if :: at.offset % CELLS < CELLS - 1 && cell[at.offset + 1] == hand -> hand_size = 2 :: else fi;
       if :: at.offset % CELLS < CELLS - 2 && cell[at.offset + 2] == hand -> hand_size = 3 :: else fi;
       at.offset = at.offset + hand_size; last = hand;
       fate[hand] = IN_HAND;
       taken.sequence = at.sequence; taken.offset = at.offset;
       if :: FREED_WHEN_TAKEN -> freed.sequence = at.sequence; freed.offset = at.offset :: else fi;
       reading = HANDLES; printf("actor 1: takes record %d\n", hand) }
  :: d_step { is_reader_alive && reading == HANDLES ->
       PROMISE(cell[hand_offset] == hand && cell[hand_offset + hand_size - 1] == hand,
               "violated: a record is overwritten while it is handled\n");
       fate[hand] = HANDLED; printf("actor 1: handles record %d\n", hand); hand = 0; hand_offset = 0; hand_size = 0;
       reading = FREES }
  /* stores `freed`, and tells the writer if it has passed a chunk or read all that it has seen */
  :: d_step { is_reader_alive && reading == FREES ->
       freed.sequence = at.sequence; freed.offset = at.offset;
       if
       :: wants_room && (has_passed || !TOLD_BY_CHUNK && ARE_EQUAL(at, seen)) -> is_told = true;
          printf("actor 1: tells of room\n")
       :: else
       fi;
       has_passed = false; reading = WALKS }
  :: d_step { is_reader_alive && crashes > 0 ->
       crashes--; is_reader_alive = false; printf("actor 1: dies\n");
       if :: hand != 0 -> fate[hand] = HANDLED :: else fi }
  od
}

/* It reads what a dead reader has left, while the writer may still write. */
proctype Coordinator() {
  byte found;
end:
  do
  :: d_step { !is_reader_alive && !is_looking ->
       is_looking = true; is_exit_told = true;
       if
       :: LETTERS_FROM_FREED -> looked.sequence = freed.sequence; looked.offset = freed.offset
       :: else -> looked.sequence = taken.sequence; looked.offset = taken.offset
       fi }
  :: d_step { is_looking && !ARE_EQUAL(looked, written) && cell[looked.offset] >= JUMP ->
       looked.sequence++; looked.offset = (cell[looked.offset] - JUMP) * CELLS }
  :: d_step { is_looking && !ARE_EQUAL(looked, written) && cell[looked.offset] < JUMP ->
       PROMISE(cell[looked.offset] != 0 && fate[cell[looked.offset]] == PUBLISHED,
               "violated: a dead letter is of something else than an unread record\n");
       fate[cell[looked.offset]] = LETTER; printf("coordinator: record %d is a dead letter\n", cell[looked.offset]);
       found = cell[looked.offset]; looked.offset++;
       if :: looked.offset % CELLS != 0 && cell[looked.offset] == found -> looked.offset++ :: else fi;
       if :: looked.offset % CELLS != 0 && cell[looked.offset] == found -> looked.offset++ :: else fi;
       found = 0 }
  od
}

proctype Fate() {
end:
  if :: d_step { crashes > 0 -> crashes = 0; printf("fate: no more deaths\n") } fi
}

/* Nothing can happen any more. */
proctype Watch() {
  byte i;
end:
  timeout ->
    d_step {
      printf("watch: nothing moves any more\n");
      PROMISE(!is_writer_alive || writing == IDLE && number == RECORDS, "violated: a writer waits for room for ever\n");
      i = 1;
      do
      :: i <= RECORDS ->
         PROMISE(fate[i] != PUBLISHED || TWO_STORES && !is_writer_alive, "violated: a record is lost\n"); i++
      :: else -> break
      od
    }
}

init {
  c_code { if (getenv("BATON_LEFT_OUT")) now.left_out = atoi(getenv("BATON_LEFT_OUT")); };
  d_step { is_committed[0] = true; written.sequence = 1; taken.sequence = 1; freed.sequence = 1; at.sequence = 1;
    sequence_of[0] = 1 }
  atomic { run Writer(); run Reader(); run Coordinator(); run Fate(); run Watch() }
}
