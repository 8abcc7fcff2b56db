#include <baton/detail/pool/board.hpp>

#include <algorithm>

namespace baton::detail::pool {
namespace {

constexpr std::uint16_t batch_max = 65'534;  // even: 1 comes after it, in the other word

}  // namespace

void Board::open(Context& context, std::size_t places) {
    close();
    const std::uint64_t words = std::max<std::uint64_t>(places, 1) * board_word::words_per_place;
    Result<Segment> made = context.create_array<std::uint64_t>({words}, Duration::zero());
    if (!made) return;
    // It may have been a board before. Only what tells of earlier batches is written, as most of it may never be used.
    const std::span<std::uint64_t> memory = made->as<std::uint64_t>();
    for (std::size_t first = 0; first < words; first += board_word::words_per_place)
        for (const std::uint16_t batch : {std::uint16_t{0}, std::uint16_t{1}})
            board_word::notes_of(board_word::Words{memory.subspan(first, board_word::words_per_place)}, batch)[0] = 0;
    Result<Loan> lent = context.lend(std::move(*made));
    if (!lent) return;
    Result<Slice> own = lent->share(0, words);
    if (!own) return;
    own_ = std::move(*own);
    last_batches_.assign(places, 0);
    lent_.emplace(std::move(*lent));
}

void Board::close() noexcept {
    own_ = Slice{};
    lent_.reset();
}

std::optional<Slice> Board::share(std::size_t place) {
    if (!lent_) return std::nullopt;
    Result<Slice> slice = lent_->share(place * board_word::words_per_place, board_word::words_per_place);
    if (!slice) return std::nullopt;
    return std::move(*slice);
}

std::uint16_t Board::lay(std::size_t place, std::size_t tasks) {
    if (!lent_ || tasks > batch_tasks_max) return 0;
    std::uint16_t& last = last_batches_[place];
    last = last >= batch_max ? 1 : static_cast<std::uint16_t>(last + 1);
    word(place, last).store(board_word::of(last, tasks, 0));
    return last;
}

void Board::forget_last(std::size_t place) noexcept {
    if (!lent_ || place >= last_batches_.size()) return;
    std::uint16_t& last = last_batches_[place];
    last = last <= 1 ? batch_max : static_cast<std::uint16_t>(last - 1);
}

std::size_t Board::take_back(std::size_t place, std::uint16_t batch, std::size_t tasks) {
    if (!lent_ || batch == 0) return tasks;
    return board_word::take_back(word(place, batch), batch, tasks);
}

std::optional<Done> Board::read(std::size_t place, std::uint16_t batch, std::size_t known, std::size_t tasks) {
    if (!lent_ || batch == 0) return std::nullopt;
    return read_notes(board_word::notes_of(words(place), batch), batch, known, tasks);
}

board_word::Words Board::words(std::size_t place) {
    return board_word::Words{
        own_.as<std::uint64_t>().subspan(place * board_word::words_per_place, board_word::words_per_place)};
}

std::atomic_ref<std::uint64_t> Board::word(std::size_t place, std::uint16_t batch) {
    return std::atomic_ref{words(place)[batch % 2]};
}

}  // namespace baton::detail::pool
