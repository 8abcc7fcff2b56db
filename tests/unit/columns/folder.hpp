#pragma once
// Folder: where a test has its files, until it ends.

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace columns_test {

class Folder {
public:
    Folder() {
        std::string path = (std::filesystem::temp_directory_path() / "columns_test.XXXXXX").string();
        if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("no temporary folder");
        path_ = path;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }

    [[nodiscard]] std::string path(const std::string& name) const { return (path_ / name).string(); }
    [[nodiscard]] std::string write(std::string_view text, const std::string& name = "table.csv") const {
        std::ofstream file{path(name), std::ios::binary | std::ios::trunc};
        file << text;
        if (!file.flush()) throw std::runtime_error("cannot write " + path(name));
        return path(name);
    }

private:
    std::filesystem::path path_;
};

}  // namespace columns_test
