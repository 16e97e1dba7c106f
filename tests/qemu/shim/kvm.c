/*
 * KVM's ioctls: answered from the description, or passed to the kernel for the real host. The table of KVM_SET_CPUID2 is
 * recorded as `vcpuID function index flags eax ebx ecx edx` (hexadecimal; ID decimal; `vcpuID` alone for a table without
 * entries). It is passed on only for the real host. With SHIM_MSRS set, the MSRs of KVM_SET_MSRS are recorded as
 * `msrID index value`.
 */
#define _GNU_SOURCE
#include "shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_FDS = 65536, VCPU_MEMORY = 3 * 4096 };

static FILE *record;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int tables;
static int vcpu_of[MAX_FDS]; /* by file descriptor: vCPU id + 1 */

void record_to(int fd)
{
    record = fdopen(fd, "w");
}

void end_record(void)
{
    pthread_mutex_lock(&lock);
    fflush(record);
    pthread_mutex_unlock(&lock);
}

bool recorded_any(void)
{
    return tables > 0;
}

/* --- The described KVM ------------------------------------------------------------------------------------------- */

/*
 * MSRs that current KVMs save and restore, limited to those that QEMU checks for. ARCH_CAPABILITIES (0x10a) is one of
 * them since Linux 4.21, on any CPU; others depend on the CPU.
 */
static const uint32_t msr_list[] = {
    0x10, 0x11, 0x12, 0x3a, 0x3b, 0x48, 0x9e, 0xce, 0xcf, 0x10a, 0x122, 0x174, 0x175, 0x176, 0x17a, 0x17b,
    0x1a0, 0x1c4, 0x1c5, 0x1d9, 0x277, 0x345, 0x6e0, 0xda0,
    /* Hyper-V's */
    0x40000000, 0x40000001, 0x40000002, 0x40000003, 0x40000010, 0x40000020, 0x40000021, 0x40000022, 0x40000023,
    0x40000073, 0x40000080, 0x40000083, 0x40000090, 0x400000b0, 0x400000f1, 0x40000100, 0x40000105, 0x40000106,
    0x40000107, 0x40000108,
    /* KVM's own */
    0x4b564d00, 0x4b564d01, 0x4b564d02, 0x4b564d03, 0x4b564d04, 0x4b564d05, 0x4b564d06, 0x4b564d07,
    /* AMD's */
    0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000102, 0xc0000103, 0xc0010117,
};

static int fail(int error)
{
    errno = error;
    return -1;
}

static const struct msr *find_msr(uint32_t index)
{
    for (int i = 0; i < host.msr_count; i++)
        if (host.msr[i].index == index)
            return &host.msr[i];
    return NULL;
}

static int give_entries(struct kvm_cpuid2 *to, const struct entries *from)
{
    if (from->count < 0)
        return fail(EINVAL);
    if (to->nent < (unsigned)from->count)
        return fail(E2BIG);
    to->nent = (unsigned)from->count;
    memcpy(to->entries, from->entry, (size_t)from->count * sizeof from->entry[0]);
    return 0;
}

/* KVM supports WAITPKG, leaf 7 ECX bit 5. */
static bool has_waitpkg(void)
{
    for (int i = 0; i < host.supported.count; i++) {
        const struct kvm_cpuid_entry2 *entry = &host.supported.entry[i];
        if (entry->function == 7 && entry->index == 0)
            return entry->ecx >> 5 & 1;
    }
    return false;
}

/*
 * The host's own list, or the usual one. It includes VMX's secondary controls if they are a feature MSR, since Linux lists them in both, and UMWAIT's control if
 * KVM supports the feature.
 */
static int give_msr_list(struct kvm_msr_list *to)
{
    enum { SECONDARY_CONTROLS = 0x48b, UMWAIT_CONTROL = 0xe1 };
    if (host.saved_count >= 0) {
        unsigned space = to->nmsrs;
        to->nmsrs = (unsigned)host.saved_count;
        if (space < to->nmsrs)
            return fail(E2BIG);
        memcpy(to->indices, host.saved, to->nmsrs * sizeof *host.saved);
        return 0;
    }
    unsigned room = to->nmsrs, count = sizeof msr_list / sizeof *msr_list;
    bool vmx = find_msr(SECONDARY_CONTROLS), waitpkg = has_waitpkg();
    to->nmsrs = count + vmx + waitpkg;
    if (room < to->nmsrs)
        return fail(E2BIG);
    memcpy(to->indices, msr_list, sizeof msr_list);
    if (vmx)
        to->indices[count++] = SECONDARY_CONTROLS;
    if (waitpkg)
        to->indices[count++] = UMWAIT_CONTROL;
    return 0;
}

static int give_feature_msr_list(struct kvm_msr_list *to)
{
    unsigned room = to->nmsrs, count = (unsigned)host.msr_count;
    to->nmsrs = count;
    if (room < count)
        return fail(E2BIG);
    for (unsigned i = 0; i < count; i++)
        to->indices[i] = host.msr[i].index;
    return 0;
}

/* On the system's file descriptor: feature MSRs, up to the first missing one. A vCPU's MSRs are all zero. */
static int give_msrs(struct kvm_msrs *to, bool vcpu)
{
    for (unsigned i = 0; i < to->nmsrs; i++) {
        const struct msr *found = vcpu ? NULL : find_msr(to->entries[i].index);
        if (!found && !vcpu)
            return (int)i;
        to->entries[i].data = found ? found->value : 0;
    }
    return (int)to->nmsrs;
}

static int memory_file(const char *name, off_t size)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd >= 0 && ftruncate(fd, size))
        die("ftruncate: %s", strerror(errno));
    return fd;
}

static int give_attribute(const struct kvm_device_attr *attribute)
{
    if (attribute->group != 0 || attribute->attr != 0 /* KVM_X86_XCOMP_GUEST_SUPP */ || !host.has_guest_xcomponents)
        return fail(ENXIO);
    *(uint64_t *)(uintptr_t)attribute->addr = host.guest_xcomponents;
    return 0;
}

static int enable_capability(const struct kvm_enable_cap *capability)
{
    const struct capability *known = find_capability(capability->cap);
    if (known && !known->value)
        return fail(EINVAL);
    /* KVM_CAP_HYPERV_ENLIGHTENED_VMCS returns the supported versions: 1 to 1. */
    if (capability->cap == 163 && capability->args[0])
        *(uint16_t *)(uintptr_t)capability->args[0] = 0x101;
    return 0;
}

/* An ioctl that is not handled here reads nothing, or zeros. */
static int give_zeros(unsigned long request, void *argument)
{
    if (_IOC_DIR(request) == _IOC_READ && argument)
        memset(argument, 0, _IOC_SIZE(request));
    return 0;
}

static int described(int fd, unsigned long request, void *argument)
{
    const struct capability *capability;
    bool vcpu = fd >= 0 && fd < MAX_FDS && vcpu_of[fd];
    switch (request) {
    case KVM_GET_API_VERSION: return KVM_API_VERSION;
    case KVM_CREATE_VM: return memory_file("kvm-vm", 0);
    case KVM_CREATE_VCPU: return memory_file("kvm-vcpu", VCPU_MEMORY);
    case KVM_GET_VCPU_MMAP_SIZE: return VCPU_MEMORY;
    case KVM_CHECK_EXTENSION:
        capability = find_capability((long)argument);
        return capability ? capability->value : 0;
    case KVM_ENABLE_CAP: return enable_capability(argument);
    case KVM_GET_SUPPORTED_CPUID: return give_entries(argument, &host.supported);
    case KVM_GET_SUPPORTED_HV_CPUID: return give_entries(argument, &host.hyperv);
    case KVM_GET_EMULATED_CPUID: return fail(EINVAL);
    case KVM_GET_MSR_INDEX_LIST: return give_msr_list(argument);
    case KVM_GET_MSR_FEATURE_INDEX_LIST: return give_feature_msr_list(argument);
    case KVM_GET_MSRS: return give_msrs(argument, vcpu);
    case KVM_SET_MSRS: return (int)((struct kvm_msrs *)argument)->nmsrs;
    case KVM_GET_TSC_KHZ: return host.tsc_khz;
    case KVM_X86_GET_MCE_CAP_SUPPORTED: *(uint64_t *)argument = host.mce_capabilities; return 0;
    case KVM_GET_DEVICE_ATTR: return give_attribute(argument);
    case KVM_CREATE_DEVICE: return fail(ENXIO);
    case KVM_GET_STATS_FD: return fail(ENOTTY);
    case KVM_RUN: pause(); return fail(EINTR);
    default: return give_zeros(request, argument);
    }
}

/* --- The real KVM ------------------------------------------------------------------------------------------------ */

static int kernel(int fd, unsigned long request, void *argument)
{
    static int (*next)(int, unsigned long, ...);
    if (!next)
        next = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
    return next(fd, request, argument);
}

/* A KVM inside a guest rejects some MSRs and registers that do not concern CPUID: report success to QEMU. */
static int real(int fd, unsigned long request, void *argument)
{
    int result = kernel(fd, request, argument);
    bool vcpu = fd >= 0 && fd < MAX_FDS && vcpu_of[fd];
    switch (request) {
    case KVM_GET_MSRS: return vcpu && result >= 0 ? (int)((struct kvm_msrs *)argument)->nmsrs : result;
    case KVM_SET_MSRS: return result >= 0 ? (int)((struct kvm_msrs *)argument)->nmsrs : result;
    case KVM_GET_ONE_REG:
    case KVM_SET_ONE_REG: return result < 0 ? 0 : result;
    default: return result;
    }
}

/* --- Functions that QEMU calls ------------------------------------------------------------------------------------ */

static void write_table(int vcpu, const struct kvm_cpuid2 *table)
{
    pthread_mutex_lock(&lock);
    if (!table->nent)
        fprintf(record, "vcpu%d\n", vcpu);
    for (unsigned i = 0; i < table->nent; i++) {
        const struct kvm_cpuid_entry2 *e = &table->entries[i];
        fprintf(record, "vcpu%d %08x %08x %x %08x %08x %08x %08x\n", vcpu, e->function, e->index, e->flags, e->eax,
                e->ebx, e->ecx, e->edx);
    }
    tables++;
    fflush(record);
    pthread_mutex_unlock(&lock);
}

static void write_msrs(int vcpu, const struct kvm_msrs *msrs)
{
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < msrs->nmsrs; i++)
        fprintf(record, "msr%d %x %llx\n", vcpu, msrs->entries[i].index, (unsigned long long)msrs->entries[i].data);
    fflush(record);
    pthread_mutex_unlock(&lock);
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    request = (uint32_t)request; /* before 8.0 QEMU's type for it is int */
    if (_IOC_TYPE(request) != KVMIO || !record)
        return kernel(fd, request, argument);
    if (request == KVM_SET_CPUID2 && fd >= 0 && fd < MAX_FDS) {
        write_table(vcpu_of[fd] - 1, argument);
        if (!host.real)
            return 0;
    }
    if (request == KVM_SET_MSRS && fd >= 0 && fd < MAX_FDS && vcpu_of[fd] && getenv("SHIM_MSRS"))
        write_msrs(vcpu_of[fd] - 1, argument);
    int result = host.real ? real(fd, request, argument) : described(fd, request, argument);
    if (request == KVM_CREATE_VCPU && result >= 0 && result < MAX_FDS)
        vcpu_of[result] = (int)(long)argument + 1;
    return result;
}

#define OPEN(name)                                                                \
    int name(const char *path, int flags, ...)                                    \
    {                                                                             \
        static int (*next)(const char *, int, ...);                               \
        va_list arguments;                                                        \
        va_start(arguments, flags);                                               \
        int mode = va_arg(arguments, int);                                        \
        va_end(arguments);                                                        \
        if (record && !host.real && !strcmp(path, "/dev/kvm"))            \
            return memory_file("kvm", 0);                                         \
        if (!next)                                                                \
            next = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name);      \
        return next(path, flags, mode);                                           \
    }
OPEN(open)
OPEN(open64)
