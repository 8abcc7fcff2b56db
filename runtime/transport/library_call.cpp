#include "runtime/transport/library_call.hpp"

#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

namespace baton::detail {
namespace {

struct Wanted {
    std::string_view library;
    std::string_view function;
    void* replacement;
    bool is_done = false;
};

// What the dynamic section says, as far as it matters here. ElfW() names the types of this machine's word size.
struct Tables {
    const ElfW(Sym)* symbols = nullptr;
    const char* names = nullptr;
    const ElfW(Rela)* calls = nullptr;
    std::size_t calls_bytes = 0;
    const ElfW(Rela)* others = nullptr;
    std::size_t others_bytes = 0;
    ElfW(Addr) read_only_begin = 0;  // what has been made so after the library was loaded (-z relro)
    ElfW(Addr) read_only_end = 0;
};

template <class T>
const T* at(const dl_phdr_info& object, ElfW(Addr) address) {
    // glibc writes absolute addresses into the section on most machines, and leaves it as it is on others.
    return reinterpret_cast<const T*>(address < object.dlpi_addr ? object.dlpi_addr + address : address);
}

Tables tables_of(const dl_phdr_info& object) {
    Tables tables;
    bool has_addends = false;  // of the entries in DT_JMPREL
    for (int index = 0; index < object.dlpi_phnum; ++index) {
        const ElfW(Phdr)& part = object.dlpi_phdr[index];
        if (part.p_type == PT_GNU_RELRO) {
            tables.read_only_begin = object.dlpi_addr + part.p_vaddr;
            tables.read_only_end = tables.read_only_begin + part.p_memsz;
        }
        if (part.p_type != PT_DYNAMIC) continue;
        const auto* entry = reinterpret_cast<const ElfW(Dyn)*>(object.dlpi_addr + part.p_vaddr);
        for (; entry->d_tag != DT_NULL; ++entry) {
            switch (entry->d_tag) {
                case DT_SYMTAB: tables.symbols = at<ElfW(Sym)>(object, entry->d_un.d_ptr); break;
                case DT_STRTAB: tables.names = at<char>(object, entry->d_un.d_ptr); break;
                case DT_JMPREL: tables.calls = at<ElfW(Rela)>(object, entry->d_un.d_ptr); break;
                case DT_PLTRELSZ: tables.calls_bytes = entry->d_un.d_val; break;
                case DT_PLTREL: has_addends = entry->d_un.d_val == DT_RELA; break;
                case DT_RELA: tables.others = at<ElfW(Rela)>(object, entry->d_un.d_ptr); break;
                case DT_RELASZ: tables.others_bytes = entry->d_un.d_val; break;
                default: break;
            }
        }
    }
    if (!has_addends) tables.calls_bytes = 0;
    return tables;
}

bool write_to(void** place, void* value, const Tables& tables) {
    const auto address = reinterpret_cast<std::uintptr_t>(place);
    const bool is_read_only = address >= tables.read_only_begin && address < tables.read_only_end;
    const auto page_bytes = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    void* const page = reinterpret_cast<void*>(address & ~(page_bytes - 1));
    if (is_read_only && ::mprotect(page, page_bytes, PROT_READ | PROT_WRITE) != 0) return false;
    *place = value;
    if (is_read_only) ::mprotect(page, page_bytes, PROT_READ);
    return true;
}

std::size_t symbol_of(const ElfW(Rela) & entry) {
#if __ELF_NATIVE_CLASS == 64
    return ELF64_R_SYM(entry.r_info);
#else
    return ELF32_R_SYM(entry.r_info);
#endif
}

bool replace_in(const dl_phdr_info& object, const Tables& tables, const ElfW(Rela) * entries, std::size_t bytes,
                const Wanted& wanted) {
    bool is_done = false;
    for (std::size_t index = 0; entries != nullptr && index < bytes / sizeof *entries; ++index) {
        const std::size_t symbol = symbol_of(entries[index]);
        if (symbol == 0 || wanted.function != tables.names + tables.symbols[symbol].st_name) continue;
        auto** const place = reinterpret_cast<void**>(object.dlpi_addr + entries[index].r_offset);
        is_done = write_to(place, wanted.replacement, tables) || is_done;
    }
    return is_done;
}

int look_at(dl_phdr_info* object, std::size_t, void* passed) {
    Wanted& wanted = *static_cast<Wanted*>(passed);
    const std::string_view path = object->dlpi_name == nullptr ? "" : object->dlpi_name;
    const std::string_view file = path.substr(path.rfind('/') == std::string_view::npos ? 0 : path.rfind('/') + 1);
    if (!file.starts_with(wanted.library)) return 0;
    const Tables tables = tables_of(*object);
    if (tables.symbols == nullptr || tables.names == nullptr) return 0;
    const bool in_calls = replace_in(*object, tables, tables.calls, tables.calls_bytes, wanted);
    const bool in_others = replace_in(*object, tables, tables.others, tables.others_bytes, wanted);
    wanted.is_done = wanted.is_done || in_calls || in_others;
    return 0;
}

}  // namespace

bool replace_call(std::string_view library, std::string_view function, void* replacement) {
    Wanted wanted{library, function, replacement};
    ::dl_iterate_phdr(look_at, &wanted);
    return wanted.is_done;
}

}  // namespace baton::detail
