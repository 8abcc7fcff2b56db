#include "runtime/wire/brief.hpp"

#include <atomic>
#include <cstring>

#include "runtime/base/text.hpp"

namespace baton::detail {

Result<Brief> read_brief(std::string_view frame, std::string& tag) {
    const auto corrupt = [](std::string_view text) { return Error{ErrorKind::corrupt, std::string(text)}; };
    BriefHead head;
    if (frame.size() < sizeof head) return corrupt("a brief record ends in its head");
    std::memcpy(&head, frame.data(), sizeof head);
    std::atomic_signal_fence(std::memory_order_seq_cst);  // the copy is what is checked
    if (head.mark != BriefHead::brief_mark || head.reserved != 0) return corrupt("a brief record is none");
    if (head.kind != MessageKind::send && head.kind != MessageKind::ask)
        return corrupt("a brief record is a command: kind 1 (send) or 2 (ask)");
    if (head.tag_bytes > limits::tag_bytes_max || frame.size() - sizeof head < head.tag_bytes)
        return corrupt("the tag of a brief record is longer than it may be");
    const std::string_view said = frame.substr(sizeof head, head.tag_bytes);
    if (said != tag) {
        tag.assign(said);
        if (!is_utf8(tag)) {
            tag.clear();
            return corrupt("the tag of a record is UTF-8");
        }
    }
    return Brief{head, tag, frame.substr(sizeof head + head.tag_bytes)};
}

Result<BriefReply> read_brief_reply(std::string_view frame) {
    BriefReplyHead head;
    if (frame.size() < sizeof head) return Error{ErrorKind::corrupt, "a brief reply ends in its head"};
    std::memcpy(&head, frame.data(), sizeof head);
    std::atomic_signal_fence(std::memory_order_seq_cst);  // the copy is what is checked
    const BriefReplyHead good{.ask_id = head.ask_id};
    if (std::memcmp(&head, &good, sizeof head) != 0) return Error{ErrorKind::corrupt, "a brief reply is none"};
    return BriefReply{head.ask_id, frame.substr(sizeof head)};
}

}  // namespace baton::detail
