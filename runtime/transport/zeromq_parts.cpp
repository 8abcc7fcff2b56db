// What libzmq.a needs of libraries that are left out of executables: PGM and NORM (multicast) and GSSAPI (Kerberos).
// Sessions speak over Unix sockets and use none of it. An actor that uses ZeroMQ for itself can have these only with
// libzmq.so; it is told so where it asks for them. Knows nothing of Baton, and is compiled only into libbaton_zeromq.a
// (cmake/zeromq.cmake).
#include <cstdio>
#include <cstdlib>

namespace {

[[noreturn]] void refuse(const char* function) noexcept {
    std::fprintf(stderr,
                 "ZeroMQ calls %s, which is not in this program: link it with libzmq.so before Baton's libraries, or "
                 "build Baton with -DBATON_STATIC_ZEROMQ=OFF\n",
                 function);
    std::abort();
}

}  // namespace

// That ZeroMQ is in this program itself: see descriptors.cpp.
extern "C" const char baton_zeromq_is_inside = 1;

// Each context begins and ends with these.
extern "C" int pgm_init(void*) { return 1; }
extern "C" int pgm_shutdown() { return 1; }

// NOLINTBEGIN(cppcoreguidelines-macro-usage)
#define BATON_LEFT_OUT(name) \
    extern "C" void name() { refuse(#name); }
#define BATON_EMPTY(name) extern "C" const void* const name = nullptr;
// NOLINTEND(cppcoreguidelines-macro-usage)

BATON_LEFT_OUT(pgm_bind3)
BATON_LEFT_OUT(pgm_close)
BATON_LEFT_OUT(pgm_connect)
BATON_LEFT_OUT(pgm_error_free)
BATON_LEFT_OUT(pgm_free)
BATON_LEFT_OUT(pgm_freeaddrinfo)
BATON_LEFT_OUT(pgm_getaddrinfo)
BATON_LEFT_OUT(pgm_getsockopt)
BATON_LEFT_OUT(pgm_gsi_create_from_data)
BATON_LEFT_OUT(pgm_recvmsgv)
BATON_LEFT_OUT(pgm_send)
BATON_LEFT_OUT(pgm_setsockopt)
BATON_LEFT_OUT(pgm_socket)

BATON_LEFT_OUT(NormCreateInstance)
BATON_LEFT_OUT(NormCreateSession)
BATON_LEFT_OUT(NormDestroyInstance)
BATON_LEFT_OUT(NormDestroySession)
BATON_LEFT_OUT(NormGetDescriptor)
BATON_LEFT_OUT(NormGetNextEvent)
BATON_LEFT_OUT(NormGetRandomSessionId)
BATON_LEFT_OUT(NormIsUnicastAddress)
BATON_LEFT_OUT(NormNodeDelete)
BATON_LEFT_OUT(NormObjectGetType)
BATON_LEFT_OUT(NormObjectGetUserData)
BATON_LEFT_OUT(NormObjectSetUserData)
BATON_LEFT_OUT(NormSetAutoParity)
BATON_LEFT_OUT(NormSetCongestionControl)
BATON_LEFT_OUT(NormSetDefaultSyncPolicy)
BATON_LEFT_OUT(NormSetDefaultUnicastNack)
BATON_LEFT_OUT(NormSetEcnSupport)
BATON_LEFT_OUT(NormSetLoopback)
BATON_LEFT_OUT(NormSetMulticastInterface)
BATON_LEFT_OUT(NormSetRxPortReuse)
BATON_LEFT_OUT(NormSetTOS)
BATON_LEFT_OUT(NormSetTTL)
BATON_LEFT_OUT(NormSetTxRate)
BATON_LEFT_OUT(NormStartReceiver)
BATON_LEFT_OUT(NormStartSender)
BATON_LEFT_OUT(NormStopInstance)
BATON_LEFT_OUT(NormStopReceiver)
BATON_LEFT_OUT(NormStopSender)
BATON_LEFT_OUT(NormStreamFlush)
BATON_LEFT_OUT(NormStreamOpen)
BATON_LEFT_OUT(NormStreamRead)
BATON_LEFT_OUT(NormStreamSeekMsgStart)
BATON_LEFT_OUT(NormStreamSetPushEnable)
BATON_LEFT_OUT(NormStreamWrite)
BATON_EMPTY(NORM_INSTANCE_INVALID)
BATON_EMPTY(NORM_NODE_ANY)
BATON_EMPTY(NORM_OBJECT_INVALID)
BATON_EMPTY(NORM_SESSION_INVALID)

BATON_LEFT_OUT(gss_accept_sec_context)
BATON_LEFT_OUT(gss_acquire_cred)
BATON_LEFT_OUT(gss_delete_sec_context)
BATON_LEFT_OUT(gss_display_name)
BATON_LEFT_OUT(gss_import_name)
BATON_LEFT_OUT(gss_init_sec_context)
BATON_LEFT_OUT(gss_release_buffer)
BATON_LEFT_OUT(gss_release_cred)
BATON_LEFT_OUT(gss_release_name)
BATON_LEFT_OUT(gss_unwrap)
BATON_LEFT_OUT(gss_wrap)
BATON_EMPTY(GSS_C_NT_HOSTBASED_SERVICE)
BATON_EMPTY(GSS_C_NT_USER_NAME)
