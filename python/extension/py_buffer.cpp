// Python's buffer protocol: how NumPy and memoryview look at memory of the session, and say when they are done.
#include <fmt/format.h>

#include "python/extension/errors.hpp"
#include "python/extension/py_held.hpp"

namespace baton::python {

using namespace dynamic;
namespace {

// As the buffer protocol writes element types, which is as the struct module does; with 'l' for 64 bits, because
// NumPy takes that for the int64 that everybody else means.
std::string format_of(const Layout& layout) {
    const std::string_view type = layout.type;
    if (type.starts_with('[')) return fmt::format("{}x", layout.element_bytes().value_or(1));  // a record
    const char size = type.back();
    switch (type[1]) {
        case 'b': return "?";
        case 'i': return size == '1' ? "b" : size == '2' ? "h" : size == '4' ? "i" : "l";
        case 'u': return size == '1' ? "B" : size == '2' ? "H" : size == '4' ? "I" : "L";
        case 'f': return size == '2' ? "e" : size == '4' ? "f" : size == '8' ? "d" : "g";
        case 'c': return size == '8' ? "Zf" : size == '6' ? "Zd" : "Zg";
        case 'S': return fmt::format("{}s", type.substr(2));
        default: return fmt::format("{}x", type.substr(2));  // a struct of that many bytes
    }
}

// What a Py_buffer points to, as long as the view lives.
struct Looking {
    View view;
    std::string format;
    std::vector<Py_ssize_t> shape;
    std::vector<Py_ssize_t> strides;
};

int buffer_error(const std::string& text) {
    PyErr_SetString(PyExc_BufferError, text.c_str());
    return -1;
}

int get_buffer(PyObject* object, Py_buffer* buffer, int flags) {
    buffer->obj = nullptr;
    try {
        PyHeld& self = py::cast<PyHeld&>(py::handle(object));
        View held = self.look();
        const std::span<std::byte> bytes = held.bytes();
        const Layout& layout = self.layout();
        const bool is_writable = self.is_writable();
        if ((flags & PyBUF_WRITABLE) == PyBUF_WRITABLE && !is_writable)
            return buffer_error(self.to_text() + " is read-only: it is leased to this script");
        auto view = std::make_unique<Looking>(Looking{std::move(held), format_of(layout), {}, {}});
        const auto element = static_cast<Py_ssize_t>(layout.element_bytes().value_or(1));
        view->shape.assign(layout.shape.begin(), layout.shape.end());
        view->strides.resize(view->shape.size());
        Py_ssize_t stride = element;
        for (std::size_t dimension = view->shape.size(); dimension-- > 0; stride *= view->shape[dimension])
            view->strides[dimension] = stride;
        if ((flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS && view->shape.size() > 1)
            return buffer_error(self.to_text() + " lies rows first (C order)");
        buffer->buf = bytes.data();
        buffer->len = static_cast<Py_ssize_t>(bytes.size());
        buffer->readonly = is_writable ? 0 : 1;
        buffer->itemsize = element;
        buffer->ndim = static_cast<int>(view->shape.size());
        buffer->format = (flags & PyBUF_FORMAT) == PyBUF_FORMAT ? view->format.data() : nullptr;
        buffer->shape = (flags & PyBUF_ND) == PyBUF_ND ? view->shape.data() : nullptr;
        buffer->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? view->strides.data() : nullptr;
        buffer->suboffsets = nullptr;
        self.begin_view();
        buffer->internal = view.release();
        buffer->obj = py::handle(object).inc_ref().ptr();
        return 0;
    } catch (py::error_already_set& error) {
        error.restore();
        return -1;
    } catch (const std::exception& error) {
        return buffer_error(error.what());
    }
}

void release_buffer(PyObject* object, Py_buffer* buffer) {
    delete static_cast<Looking*>(buffer->internal);
    py::cast<PyHeld&>(py::handle(object)).end_view();
}

}  // namespace

// pybind11's own buffers do not tell when they are released.
void add_buffer(const py::object& type) {
    auto* const heap_type = reinterpret_cast<PyHeapTypeObject*>(type.ptr());
    heap_type->as_buffer.bf_getbuffer = get_buffer;
    heap_type->as_buffer.bf_releasebuffer = release_buffer;
    heap_type->ht_type.tp_as_buffer = &heap_type->as_buffer;
}

}  // namespace baton::python
