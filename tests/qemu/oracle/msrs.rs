//! Compares the MSRs that QEMU passes to KVM_SET_MSRS with the library's.

use cpuid_tables::guest::LEFT_OUT;

use super::compare::Difference;

/// MSRs and their values, in order.
pub type Values = Vec<(u32, u64)>;

/// The time stamp counter.
const TSC: u32 = 0x10;

/// What QEMU sets on a vCPU: the capabilities once, and the state at the last reset, without what the library leaves out.
///
/// The counter's value is the first one: at a later reset QEMU sets 1 if the vCPU's counter has moved since, as it does on a
/// KVM that runs, and 0 if it has not, as on the described hosts.
pub fn at_reset(all: &[(u32, u64)]) -> Values {
    let is_first = |(at, (msr, _)): (usize, &(u32, u64))| (*msr == 0x174).then_some(at);
    let firsts: Vec<usize> = all.iter().enumerate().filter_map(is_first).collect();
    let with_control = |at: usize| if at > 0 && all[at - 1].0 == 0x3a { at - 1 } else { at };
    let (Some(&first), Some(&last)) = (firsts.first(), firsts.last()) else { return all.to_vec() };
    let chosen = all[..with_control(first)].iter().chain(&all[with_control(last)..]);
    let left_out = |msr: u32| LEFT_OUT.iter().any(|left| left.msrs.contains(&msr));
    let counter = all.iter().find(|(msr, _)| *msr == TSC);
    let first_counter =
        |(msr, value): &(u32, u64)| *counter.filter(|_| *msr == TSC).unwrap_or(&(*msr, *value));
    chosen.filter(|(msr, _)| !left_out(*msr)).map(first_counter).collect()
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
