/* Reads a host from text files; tests/qemu/README.md describes the files and their lines. */
#include "shim.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct host host;

/*
 * Default answers for capabilities: enough for QEMU to start. A description's `.caps` takes precedence. Numbers are
 * KVM_CAP_*.
 */
static const struct capability usual[] = {
    {0, 1},      /* IRQCHIP */
    {3, 1},      /* USER_MEMORY */
    {4, 1},      /* SET_TSS_ADDR */
    {7, 1},      /* EXT_CPUID */
    {9, 1024},   /* NR_VCPUS */
    {10, 32764}, /* NR_MEMSLOTS */
    {14, 1},     /* MP_STATE */
    {15, 2},     /* COALESCED_MMIO */
    {16, 1},     /* SYNC_MMU */
    {21, 1},     /* DESTROY_MEMORY_REGION_WORKS */
    {23, 1},     /* SET_GUEST_DEBUG */
    {25, 4096},  /* IRQ_ROUTING */
    {26, 1},     /* IRQ_INJECT_STATUS */
    {30, 1},     /* JOIN_MEMORY_REGIONS_WORKS */
    {31, 32},    /* MCE */
    {32, 1},     /* IRQFD */
    {33, 1},     /* PIT2 */
    {35, 1},     /* PIT_STATE2 */
    {36, 1},     /* IOEVENTFD */
    {37, 1},     /* SET_IDENTITY_MAP_ADDR */
    {39, 14},    /* ADJUST_CLOCK */
    {40, 1},     /* INTERNAL_ERROR_DATA */
    {41, 1},     /* VCPU_EVENTS */
    {44, 1},     /* HYPERV */
    {49, 1},     /* HYPERV_SPIN */
    {50, 1},     /* DEBUGREGS */
    {51, 1},     /* X86_ROBUST_SINGLESTEP */
    {55, 1},     /* XSAVE */
    {56, 1},     /* XCRS */
    {60, 0},     /* TSC_CONTROL */
    {61, 1},     /* GET_TSC_KHZ */
    {66, 4096},  /* MAX_VCPUS */
    {72, 1},     /* TSC_DEADLINE_TIMER */
    {77, 1},     /* SIGNAL_MSI */
    {81, 1},     /* READONLY_MEM */
    {82, 1},     /* IRQFD_RESAMPLE */
    {96, 1},     /* HYPERV_TIME */
    {117, 1},    /* X86_SMM */
    {118, 2},    /* MULTI_ADDRESS_SPACE */
    {122, 1},    /* IOEVENTFD_ANY_LENGTH */
    {123, 1},    /* HYPERV_SYNIC */
    {129, 3},    /* X2APIC_API */
    {136, 1},    /* IMMEDIATE_EXIT */
    {148, 1},    /* HYPERV_SYNIC2 */
    {149, 1},    /* HYPERV_VP_INDEX */
    {153, 1},    /* GET_MSR_FEATURES */
    {154, 1},    /* HYPERV_EVENTFD */
    {155, 1},    /* HYPERV_TLBFLUSH */
    {161, 1},    /* HYPERV_SEND_IPI */
    {162, 1},    /* COALESCED_PIO */
    {163, 1},    /* HYPERV_ENLIGHTENED_VMCS */
    {164, 1},    /* EXCEPTION_PAYLOAD */
    {167, 1},    /* HYPERV_CPUID */
    {168, 3},    /* MANUAL_DIRTY_LOG_PROTECT2 */
    {175, 1},    /* HYPERV_DIRECT_TLBFLUSH */
    {188, 1},    /* X86_USER_SPACE_MSR */
    {191, 1},    /* SYS_HYPERV_CPUID */
    {199, 1},    /* HYPERV_ENFORCE_CPUID */
    {200, 1},    /* SREGS2 */
    {203, 1},    /* VM_MOVE_ENC_CONTEXT_FROM */
    {208, 4096}, /* XSAVE2 */
    {209, 1},    /* SYS_ATTRIBUTES */
    {218, 1},    /* X86_TRIPLE_FAULT_EVENT */
    {231, 1},    /* MEMORY_FAULT_INFO */
    {234, 1},    /* PRE_FAULT_MEMORY */
};

/* The default answer of KVM_GET_TSC_KHZ. */
enum { USUAL_TSC_KHZ = 2596120 };
/* The default answer of KVM_X86_GET_MCE_CAP_SUPPORTED: ten banks, MCG_CTL_P and MCG_SER_P. */
static const uint64_t USUAL_MCE = 0x0100010a;

/* Linux's answer to KVM_GET_SUPPORTED_HV_CPUID on a CPU without nested enlightened VMCS. */
static const struct kvm_cpuid_entry2 usual_hyperv[] = {
    {.function = 0x40000000, .eax = 0x40000082, .ebx = 0x7263694d, .ecx = 0x666f736f, .edx = 0x76482074},
    {.function = 0x40000001, .eax = 0x31237648},
    {.function = 0x40000002, .eax = 0x00003839, .ebx = 0x000a0000},
    {.function = 0x40000003, .eax = 0x00002aff, .ebx = 0x00100030, .edx = 0x00080d10},
    {.function = 0x40000004, .eax = 0x00020e24, .ebx = 0x00000fff},
    {.function = 0x40000005, .eax = 0xffffffff, .ebx = 0x00000040},
    {.function = 0x4000000a},
    {.function = 0x40000080, .eax = 0x40000082, .ebx = 0x7263694d, .ecx = 0x666f736f, .edx = 0x76482074},
    {.function = 0x40000081, .eax = 0x31235356},
    {.function = 0x40000082, .eax = 0x00000002},
};

const struct capability *find_capability(long number)
{
    for (int i = 0; i < host.cap_count; i++)
        if (host.cap[i].number == number)
            return &host.cap[i];
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (usual[i].number == number)
            return &usual[i];
    return NULL;
}

/* Reads one line of a file; false when it is malformed. */
typedef bool reader(const char *line);

static const char *after(const char *line, const char *word)
{
    size_t length = strlen(word);
    return strncmp(line, word, length) ? line : line + length;
}

static bool read_entry(const char *line, struct entries *into)
{
    struct kvm_cpuid_entry2 e = {0};
    char rest;
    line = after(after(line, "supported "), "hv ");
    if (sscanf(line, "%x %x %x %x %x %x %x %c", &e.function, &e.index, &e.flags, &e.eax, &e.ebx, &e.ecx, &e.edx,
               &rest) != 7 || into->count == MAX_ENTRIES)
        return false;
    into->entry[into->count++] = e;
    return true;
}

static bool read_supported(const char *line) { return read_entry(line, &host.supported); }
static bool read_instruction(const char *line) { return read_entry(line, &host.instruction); }
static bool read_hyperv(const char *line) { return read_entry(line, &host.hyperv); }

static bool read_msr(const char *line)
{
    struct msr *m = &host.msr[host.msr_count];
    unsigned long long value;
    char rest;
    if (host.msr_count == MAX_MSRS || sscanf(after(line, "msr "), "%x %llx %c", &m->index, &value, &rest) != 2)
        return false;
    m->value = value;
    host.msr_count++;
    return true;
}

static bool read_saved(const char *line)
{
    char rest;
    if (host.saved_count == MAX_MSRS || sscanf(line, "%x %c", &host.saved[host.saved_count], &rest) != 1)
        return false;
    host.saved_count++;
    return true;
}

static bool read_capability(const char *line)
{
    struct capability *c = &host.cap[host.cap_count];
    unsigned long long all;
    char rest;
    if (sscanf(line, "guest-xcomponents %llx %c", &all, &rest) == 1) {
        host.has_guest_xcomponents = true;
        host.guest_xcomponents = all;
        return true;
    }
    if (sscanf(line, "tsc-khz %d %c", &host.tsc_khz, &rest) == 1)
        return true;
    if (sscanf(line, "mce %llx %c", &all, &rest) == 1) {
        host.mce_capabilities = all;
        return true;
    }
    if (host.cap_count == MAX_CAPS || sscanf(after(line, "cap "), "%ld %d %c", &c->number, &c->value, &rest) != 2)
        return false;
    host.cap_count++;
    return true;
}

/* False when the file does not exist. */
static bool read_file(const char *dir, const char *name, const char *extension, reader *read)
{
    char path[PATH_MAX], line[512];
    int number = 0;
    snprintf(path, sizeof path, "%s/%s.%s", dir, name, extension);
    FILE *file = fopen(path, "re");
    if (!file && errno == ENOENT)
        return false;
    if (!file)
        die("%s: %s", path, strerror(errno));
    while (fgets(line, sizeof line, file)) {
        number++;
        if (line[0] != '#' && line[0] != '\n' && !read(line))
            die("%s:%d: this line makes no sense", path, number);
    }
    fclose(file);
    return true;
}

void load_host(const char *dir, const char *name)
{
    memset(&host, 0, sizeof host);
    host.real = !strcmp(name, "real");
    if (host.real)
        return;
    host.tsc_khz = USUAL_TSC_KHZ;
    host.mce_capabilities = USUAL_MCE;
    if (!read_file(dir, name, "supported", read_supported) || !read_file(dir, name, "host", read_instruction))
        die("%s/%s.supported or %s.host is not there", dir, name, name);
    read_file(dir, name, "msrs", read_msr);
    read_file(dir, name, "caps", read_capability);
    if (!read_file(dir, name, "msr-list", read_saved))
        host.saved_count = -1;
    if (!read_file(dir, name, "hv", read_hyperv)) {
        host.hyperv.count = sizeof usual_hyperv / sizeof *usual_hyperv;
        memcpy(host.hyperv.entry, usual_hyperv, sizeof usual_hyperv);
    }
}
