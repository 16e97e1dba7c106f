/*
 * The CPUID instructions in QEMU's own code: those of its function host_cpuid and of the copies that link-time optimization
 * makes of it. Each is replaced by ud2, which has the same length; the handler of the signal that ud2 raises answers from the
 * description. This is after QEMU's constructors, which choose instructions for the CPU that it runs on.
 */
#define _GNU_SOURCE
#include "shim.h"

#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { MAX_SITES = 256 };
static uintptr_t site[MAX_SITES];
static int site_count;

static bool is_site(uintptr_t address)
{
    for (int i = 0; i < site_count; i++)
        if (site[i] == address)
            return true;
    return false;
}

/* out: EAX, EBX, ECX, EDX */
static void answer(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    if (host.real) {
        __asm__ volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "a"(leaf), "c"(subleaf));
        return;
    }
    memset(out, 0, 4 * sizeof *out);
    for (int i = 0; i < host.instruction.count; i++) {
        const struct kvm_cpuid_entry2 *e = &host.instruction.entry[i];
        if (e->function == leaf && (!(e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) || e->index == subleaf)) {
            uint32_t registers[4] = {e->eax, e->ebx, e->ecx, e->edx};
            memcpy(out, registers, sizeof registers);
            return;
        }
    }
}

static void on_illegal_instruction(int signal_number, siginfo_t *info, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    uint32_t out[4];
    (void)info;
    if (!is_site((uintptr_t)registers[REG_RIP])) {
        signal(signal_number, SIG_DFL); /* the instruction runs again and ends the process */
        return;
    }
    answer((uint32_t)registers[REG_RAX], (uint32_t)registers[REG_RCX], out);
    registers[REG_RAX] = out[0];
    registers[REG_RBX] = out[1];
    registers[REG_RCX] = out[2];
    registers[REG_RDX] = out[3];
    registers[REG_RIP] += 2;
}

static int main_program(struct dl_phdr_info *info, size_t size, void *base)
{
    (void)size;
    if (info->dlpi_name[0])
        return 0;
    *(uintptr_t *)base = info->dlpi_addr;
    return 1;
}

static void replace(unsigned char *instruction)
{
    static const unsigned char cpuid[] = {0x0f, 0xa2}, ud2[] = {0x0f, 0x0b};
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *start = (void *)((uintptr_t)instruction & ~(page - 1));
    if (memcmp(instruction, cpuid, sizeof cpuid))
        die("there is no CPUID instruction at %p: the list of places is another program's", (void *)instruction);
    if (mprotect(start, 2 * page, PROT_READ | PROT_WRITE | PROT_EXEC))
        die("mprotect: %s", strerror(errno));
    memcpy(instruction, ud2, sizeof ud2);
    mprotect(start, 2 * page, PROT_READ | PROT_EXEC);
    site[site_count++] = (uintptr_t)instruction;
}

void replace_cpuid(const char *sites)
{
    struct sigaction action = {.sa_sigaction = on_illegal_instruction, .sa_flags = SA_SIGINFO};
    uintptr_t base = 0;
    unsigned long offset;
    FILE *file = sites ? fopen(sites, "re") : NULL;
    if (!file)
        die("the list of QEMU's CPUID instructions is missing (SHIM_SITES)");
    dl_iterate_phdr(main_program, &base);
    sigaction(SIGILL, &action, NULL);
    while (fscanf(file, "%lx", &offset) == 1) {
        if (site_count == MAX_SITES)
            die("%s lists more than %d CPUID instructions", sites, MAX_SITES);
        replace((unsigned char *)(base + offset));
    }
    fclose(file);
    if (!site_count)
        die("%s lists no CPUID instruction", sites);
}
