/*
 * Records the CPUID tables that a real QEMU passes to KVM, on hosts that text files describe.
 *
 *   server.c  runs QEMU's main() once for each case of a list, in a child of a process that is loaded only once
 *   host.c    reads a host's description
 *   kvm.c     replaces /dev/kvm, and records each table
 *   cpuid.c   replaces the CPUID instruction where QEMU itself executes it
 */
#ifndef SHIM_H
#define SHIM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef KVM_GET_SUPPORTED_HV_CPUID
#define KVM_GET_SUPPORTED_HV_CPUID _IOWR(KVMIO, 0xc1, struct kvm_cpuid2)
#endif

enum { MAX_ENTRIES = 1024, MAX_MSRS = 256, MAX_CAPS = 512 };

struct entries {
    int count; /* -1: the file does not exist */
    struct kvm_cpuid_entry2 entry[MAX_ENTRIES];
};

struct msr {
    uint32_t index;
    uint64_t value;
};

struct capability {
    long number;
    int value;
};

/* The description of the host. */
struct host {
    bool real; /* no description: this machine's KVM and CPU */
    struct entries supported, instruction, hyperv;
    int msr_count;
    struct msr msr[MAX_MSRS];
    int saved_count; /* -1: the usual list */
    uint32_t saved[MAX_MSRS];
    int cap_count;
    struct capability cap[MAX_CAPS];
    bool has_guest_xcomponents;
    uint64_t guest_xcomponents;
    uint64_t mce_capabilities;
    int tsc_khz;
};

extern struct host host;

/* Reports an error and ends the process: a recording must not continue with an incomplete answer. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* host.c: fills `host` from DIR/NAME.{supported,host,msrs,caps,hv}, or marks it real. */
void load_host(const char *dir, const char *name);
const struct capability *find_capability(long number);

/* cpuid.c: replaces the CPUID instructions at these addresses of the main program (a file, hexadecimal, one a line). */
void replace_cpuid(const char *sites);

/* kvm.c: where tables are recorded, and whether any was. */
void record_to(int fd);
void end_record(void);
bool recorded_any(void);

#endif
