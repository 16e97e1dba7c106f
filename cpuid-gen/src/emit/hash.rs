//! A perfect hash: one hash assigns keys to buckets, and each bucket has a seed that maps its keys to free slots
//! ("hash, displace"; Belazzougui, Botelho and Dietzfelbinger 2009). A look-up takes one hash, one seed and one
//! comparison.
//!
//! The runtime crate looks up names with the same functions, [`name_hash`].

use super::error::GenerateError;
use super::layout::number;
use crate::ordered::sort_by;
use crate::vocabulary::name_hash::{self, name_hash, reduce, slot};

/// The form in which names are compared: ASCII lower case, with `_` for `-` and `.`.
pub(super) fn fold(name: &str) -> String {
    name.chars().map(|c| u8::try_from(c).map_or(c, |byte| char::from(name_hash::fold(byte)))).collect()
}

/// Seeds by bucket, and the key of each slot.
pub(super) struct Perfect {
    pub(super) seeds: Vec<u16>,
    pub(super) slots: Vec<Option<usize>>,
}

/// Assigns slots to distinct folded keys.
pub(super) fn perfect(keys: &[String]) -> Result<Perfect, GenerateError> {
    let hashes: Vec<u64> = keys.iter().map(|key| name_hash(key)).collect();
    let mut buckets: Vec<Vec<usize>> = vec![Vec::new(); keys.len() / 3 + 1];
    let count = buckets.len();
    for (key, &hash) in hashes.iter().enumerate() {
        buckets[reduce(hash >> 32, count)].push(key);
    }
    let mut order: Vec<usize> = (0..count).collect();
    // Buckets with the most keys first, since they need the most free slots. Stable, so that the result is
    // deterministic.
    sort_by(&mut order, |&a, &b| buckets[b].len().cmp(&buckets[a].len()));
    let mut size = keys.len() + keys.len() / 8 + 1;
    let mut stuck = 0;
    for _ in 0..8 {
        match fill(&hashes, &buckets, &order, size) {
            Ok(perfect) => return Ok(perfect),
            Err(key) => stuck = key,
        }
        size += size / 8 + 1;
    }
    Err(GenerateError::Hash(keys.get(stuck).cloned().unwrap_or_default()))
}

/// Finds every bucket's seed, or a key of a bucket that has none.
fn fill(hashes: &[u64], buckets: &[Vec<usize>], order: &[usize], size: usize) -> Result<Perfect, usize> {
    let mut table = Perfect { seeds: vec![0; buckets.len()], slots: vec![None; size] };
    let mut places = Vec::new();
    for &bucket in order {
        let keys = &buckets[bucket];
        let fitting = (0..=u16::MAX).find(|&seed| {
            places.clear();
            keys.iter().all(|&key| {
                let place = slot(hashes[key], seed, size);
                let free = table.slots[place].is_none() && !places.contains(&place);
                places.push(place);
                free
            })
        });
        table.seeds[bucket] = fitting.ok_or_else(|| keys.first().copied().unwrap_or(0))?;
        for (&key, &place) in keys.iter().zip(&places) {
            table.slots[place] = Some(key);
        }
    }
    Ok(table)
}

/// The maximum number of slots, which are numbered like everything else.
pub(super) fn check_size(perfect: &Perfect) -> Result<(), GenerateError> {
    super::layout::fits("slots of the name table", perfect.slots.len(), usize::from(number(usize::MAX)))
}

#[cfg(test)]
mod tests {
    use super::{fold, perfect};
    use crate::vocabulary::name_hash::{name_hash, reduce, slot};

    #[test]
    fn every_key_is_found_where_it_was_put() {
        for count in [0, 1, 2, 7, 100, 3000] {
            let keys: Vec<String> = (0..count).map(|n| format!("name_{n}")).collect();
            let table = perfect(&keys).map_err(|error| error.to_string());
            let table = table.as_ref();
            for (index, key) in keys.iter().enumerate() {
                let found = table.map(|table| {
                    let hash = name_hash(key);
                    let seed = table.seeds[reduce(hash >> 32, table.seeds.len())];
                    table.slots[slot(hash, seed, table.slots.len())]
                });
                assert_eq!(found, Ok(Some(index)));
            }
        }
    }

    #[test]
    fn folding() {
        assert_eq!(fold("SSE4.1"), "sse4_1");
        assert_eq!(fold("kvm-PV_unhalt"), "kvm_pv_unhalt");
    }
}
