//! Compares the MSRs that QEMU passes to KVM_SET_MSRS with the library's.

use cpuid_tables::guest::LEFT_OUT;

use super::compare::Difference;

/// MSRs and their values, in order.
pub type Values = Vec<(u32, u64)>;

/// MSRs that QEMU reads from a vCPU before a reset and sets to what it read: the time stamp counter, and the controls of machine
/// checks and of their banks. What the vCPU returns is the recorder's doing: on a described host, zeros.
fn is_read_back(msr: u32) -> bool {
    const BANKS: u32 = 0x400;
    matches!(msr, 0x10 | 0x17b) || (BANKS..BANKS + 0x28).contains(&msr) && msr % 4 == 0
}

/// What QEMU sets on a vCPU: the capabilities once, and the state at the last reset, without what the library leaves out. An
/// MSR that is [read back](is_read_back) has the value that QEMU sets first.
pub fn at_reset(all: &[(u32, u64)]) -> Values {
    let is_first = |(at, (msr, _)): (usize, &(u32, u64))| (*msr == 0x174).then_some(at);
    let firsts: Vec<usize> = all.iter().enumerate().filter_map(is_first).collect();
    let with_control = |at: usize| if at > 0 && all[at - 1].0 == 0x3a { at - 1 } else { at };
    let (Some(&first), Some(&last)) = (firsts.first(), firsts.last()) else { return all.to_vec() };
    let chosen = all[..with_control(first)].iter().chain(&all[with_control(last)..]);
    let left_out = |msr: u32| LEFT_OUT.iter().any(|left| left.msrs.contains(&msr));
    let value = |&(msr, last): &(u32, u64)| {
        let first = all.iter().find(|(first, _)| *first == msr && is_read_back(msr));
        *first.unwrap_or(&(msr, last))
    };
    chosen.filter(|(msr, _)| !left_out(*msr)).map(value).collect()
}

/// The first difference between what QEMU set on the vCPUs, in the order of their APIC ids, and the library's values.
pub fn differ<'a>(qemu: impl IntoIterator<Item = &'a Values>, ours: &[Values]) -> Option<Difference> {
    (0..).zip(qemu.into_iter().zip(ours)).find_map(|(vcpu, (theirs, ours)): (usize, _)| {
        let theirs = at_reset(theirs);
        let at = ours.iter().zip(&theirs).take_while(|(ours, theirs)| ours == theirs).count();
        let pair = (theirs.get(at), ours.get(at));
        let text = |value: Option<&(u32, u64)>| {
            value.map_or("nothing".to_owned(), |(msr, value)| format!("{msr:x} = {value:x}"))
        };
        let place = match pair {
            (None, None) => return None,
            (Some((theirs, _)), Some((ours, _))) if theirs == ours => format!("MSR {theirs:x}"),
            _ => "order of MSRs".to_owned(),
        };
        let of = |value| format!("vCPU {vcpu}, position {at}: {}", text(value));
        Some(Difference { place, qemu: of(pair.0), ours: of(pair.1) })
    })
}
