#include "actors/sync/array.hpp"

namespace baton::sync {

std::string ByteArray::text() {
    std::string all = raw();
    if (const std::size_t end = all.find('\0'); end != std::string::npos) all.resize(end);
    return all;
}

Result<void> ByteArray::assign(std::string_view text) {
    const std::span<char> bytes = reach();
    if (text.size() > bytes.size())
        return Error{ErrorKind::refused, fmt::format("a text of {} bytes is too long for array '{}', which holds {}", text.size(),
                                                     name(), bytes.size())};
    for (std::size_t index = 0; index < text.size(); ++index)
        std::atomic_ref<char>{bytes[index]}.store(text[index], std::memory_order_relaxed);
    if (text.size() < bytes.size()) std::atomic_ref<char>{bytes[text.size()]}.store('\0', std::memory_order_relaxed);
    return {};
}

std::string ByteArray::raw() {
    std::string all;
    const std::span<char> bytes = reach();
    all.reserve(bytes.size());
    for (char& byte : bytes) all.push_back(std::atomic_ref<char>{byte}.load(std::memory_order_relaxed));
    return all;
}

}  // namespace baton::sync
