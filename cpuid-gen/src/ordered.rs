//! A map and a set in the order of their keys: sorted lists with binary search.
//!
//! A build script and README's first command are compiled in every build from scratch. The standard `BTreeMap` and sorting are
//! generated anew for each type: in the thirty instances that the model needs, half of this library's compile time, in those of
//! `verify`, a third of its code. A sorted list is little code. It is for maps that are made in about the order of their keys, or
//! that have at most thousands of them; a map of anything else, such as the findings about a damaged tree, is the standard one.
//!
//! ```
//! use cpuid_gen::ordered::Map;
//!
//! let names: Map<u8, &str> = [(9, "AVX2"), (1, "SSE3")].into_iter().collect();
//! assert_eq!(names.get(&9), Some(&"AVX2"));
//! assert_eq!(names.keys().copied().collect::<Vec<u8>>(), [1, 9]);
//! ```

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::ops::{Index, RangeInclusive};

/// Sorts a list; equal elements keep their order. What is compiled for each type is a few lines.
pub(crate) fn sort_by<T>(list: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering) {
    // Mostly it is in order already.
    if list.windows(2).all(|pair| compare(&pair[0], &pair[1]) != Ordering::Greater) {
        return;
    }
    let order = order(list.len(), &mut |a, b| compare(&list[a], &list[b]) != Ordering::Greater);
    for at in 0..list.len() {
        let mut from = order[at];
        // What was there has been swapped to where this place's element came from.
        while from < at {
            from = order[from];
        }
        list.swap(at, from);
    }
}

/// The indices of a list in its order, by merging sorted stretches; `in_order(a, b)` is true if `a` may be before `b`.
fn order(length: usize, in_order: &mut dyn FnMut(usize, usize) -> bool) -> Vec<usize> {
    let mut order: Vec<usize> = (0..length).collect();
    let mut merged = Vec::with_capacity(length);
    let mut width = 1;
    while width < length {
        for pair in order.chunks(2 * width) {
            let (left, right) = pair.split_at(width.min(pair.len()));
            let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
            while let (Some(&&a), Some(&&b)) = (left.peek(), right.peek()) {
                merged.extend(if in_order(a, b) { left.next() } else { right.next() });
            }
            merged.extend(left.chain(right));
        }
        std::mem::swap(&mut order, &mut merged);
        merged.clear();
        width *= 2;
    }
    order
}

/// A map ordered by key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Map<K, V> {
    pairs: Vec<(K, V)>,
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Map<K, V> {
        Map::new()
    }
}

impl<K, V> Map<K, V> {
    /// An empty map.
    #[must_use]
    pub const fn new() -> Map<K, V> {
        Map { pairs: Vec::new() }
    }

    /// The number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// True if there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Keys with their values, ascending.
    pub fn iter(&self) -> Iter<'_, K, V> {
        Iter { pairs: self.pairs.iter() }
    }

    /// Keys with mutable values, ascending.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (&K, &mut V)> {
        self.pairs.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// The values, mutable, in the order of their keys.
    pub fn values_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut V> {
        self.pairs.iter_mut().map(|(_, value)| value)
    }

    /// The keys, ascending.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + ExactSizeIterator {
        self.pairs.iter().map(|(key, _)| key)
    }

    /// The values, in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + ExactSizeIterator {
        self.pairs.iter().map(|(_, value)| value)
    }

    /// The values without their keys, in the order of the keys.
    pub fn into_values(self) -> impl DoubleEndedIterator<Item = V> + ExactSizeIterator {
        self.pairs.into_iter().map(|(_, value)| value)
    }

    /// The last key and its value.
    #[must_use]
    pub fn last_key_value(&self) -> Option<(&K, &V)> {
        self.pairs.last().map(|(key, value)| (key, value))
    }
}

impl<K: Ord, V> Map<K, V> {
    fn position<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        // Keys are mostly inserted in order.
        match self.pairs.last() {
            Some((last, _)) if last.borrow() < key => Err(self.pairs.len()),
            _ => self.pairs.binary_search_by(|(known, _)| known.borrow().cmp(key)),
        }
    }

    /// The value of a key.
    #[must_use]
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.position(key).ok().map(|at| &self.pairs[at].1)
    }

    /// The value of a key, mutably.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.position(key).ok().map(|at| &mut self.pairs[at].1)
    }

    /// The keys from the first to the last of these, with their values, ascending.
    pub fn range(&self, keys: &RangeInclusive<K>) -> Iter<'_, K, V> {
        let start = self.pairs.partition_point(|(key, _)| key < keys.start());
        let end = self.pairs.partition_point(|(key, _)| key <= keys.end());
        Iter { pairs: self.pairs.get(start..end).unwrap_or_default().iter() }
    }

    /// True if the key is present.
    #[must_use]
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.position(key).is_ok()
    }

    /// Sets a key's value and returns the previous one.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.position(&key) {
            Ok(at) => Some(std::mem::replace(&mut self.pairs[at].1, value)),
            Err(at) => {
                self.pairs.insert(at, (key, value));
                None
            }
        }
    }

    /// Removes a key and returns its value.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.position(key).ok().map(|at| self.pairs.remove(at).1)
    }

    /// The value of a key, which is inserted if absent.
    pub fn or_insert(&mut self, key: K, value: V) -> &mut V {
        self.or_insert_with(key, || value)
    }

    /// The value of a key, which is computed and inserted if absent.
    pub fn or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let at = match self.position(&key) {
            Ok(at) => at,
            Err(at) => {
                self.pairs.insert(at, (key, make()));
                at
            }
        };
        &mut self.pairs[at].1
    }

    /// The value of a key; inserts the default if absent.
    pub fn or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        self.or_insert_with(key, V::default)
    }
}

impl<K: Ord, V> Extend<(K, V)> for Map<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, pairs: I) {
        for (key, value) in pairs {
            self.insert(key, value);
        }
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Map<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Map<K, V> {
        let mut all: Vec<(K, V)> = pairs.into_iter().collect();
        sort_by(&mut all, |(a, _), (b, _)| a.cmp(b));
        // Like an insertion, the last value of a key counts.
        all.reverse();
        all.dedup_by(|(a, _), (b, _)| a == b);
        all.reverse();
        Map { pairs: all }
    }
}

impl<K, V> IntoIterator for Map<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;
    fn into_iter(self) -> Self::IntoIter {
        self.pairs.into_iter()
    }
}

impl<'m, K, V> IntoIterator for &'m Map<K, V> {
    type Item = (&'m K, &'m V);
    type IntoIter = Iter<'m, K, V>;
    fn into_iter(self) -> Iter<'m, K, V> {
        self.iter()
    }
}

impl<K: Ord + Borrow<Q>, Q: Ord + ?Sized, V> Index<&Q> for Map<K, V> {
    type Output = V;
    /// Panics if the key is absent, like the standard maps.
    fn index(&self, key: &Q) -> &V {
        match self.position(key) {
            Ok(at) => &self.pairs[at].1,
            Err(_) => panic!("key not found"),
        }
    }
}

/// Keys with their values, ascending.
#[derive(Clone, Debug)]
pub struct Iter<'m, K, V> {
    pairs: std::slice::Iter<'m, (K, V)>,
}

impl<'m, K, V> Iterator for Iter<'m, K, V> {
    type Item = (&'m K, &'m V);
    fn next(&mut self) -> Option<(&'m K, &'m V)> {
        self.pairs.next().map(|(key, value)| (key, value))
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.pairs.size_hint()
    }
}

impl<K, V> DoubleEndedIterator for Iter<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.pairs.next_back().map(|(key, value)| (key, value))
    }
}

impl<K, V> ExactSizeIterator for Iter<'_, K, V> {}

/// An ordered set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Set<T> {
    all: Vec<T>,
}

impl<T> Default for Set<T> {
    fn default() -> Set<T> {
        Set::new()
    }
}

impl<T> Set<T> {
    /// An empty set.
    #[must_use]
    pub const fn new() -> Set<T> {
        Set { all: Vec::new() }
    }

    /// All elements, ascending.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        &self.all
    }

    /// All elements, ascending.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.all.iter()
    }

    /// The number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// True if there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

impl<T: Ord> Set<T> {
    /// Removes a value; true if it was present.
    pub fn remove<Q: Ord + ?Sized>(&mut self, value: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        let at = self.all.binary_search_by(|known| known.borrow().cmp(value));
        at.map(|at| self.all.remove(at)).is_ok()
    }

    /// Adds a value; true if it was absent.
    pub fn insert(&mut self, value: T) -> bool {
        let at = match self.all.last() {
            Some(last) if *last < value => Err(self.all.len()),
            _ => self.all.binary_search(&value),
        };
        at.map_err(|at| self.all.insert(at, value)).is_err()
    }

    /// The elements that are not in `other`, ascending.
    pub fn difference<'s>(&'s self, other: &'s Set<T>) -> impl Iterator<Item = &'s T> {
        self.iter().filter(|value| !other.contains(*value))
    }

    /// True if the value is present.
    #[must_use]
    pub fn contains<Q: Ord + ?Sized>(&self, value: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.all.binary_search_by(|known| known.borrow().cmp(value)).is_ok()
    }
}

impl<T: Ord> Extend<T> for Set<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, values: I) {
        for value in values {
            self.insert(value);
        }
    }
}

impl<T: Ord> FromIterator<T> for Set<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Set<T> {
        let mut all: Vec<T> = values.into_iter().collect();
        sort_by(&mut all, T::cmp);
        all.dedup();
        Set { all }
    }
}

impl<T> IntoIterator for Set<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;
    fn into_iter(self) -> Self::IntoIter {
        self.all.into_iter()
    }
}

impl<'s, T> IntoIterator for &'s Set<T> {
    type Item = &'s T;
    type IntoIter = std::slice::Iter<'s, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.all.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::{Map, Set};

    #[test]
    fn keys_ascend_whatever_comes_first() {
        let mut map: Map<&str, u8> = [("b", 1), ("a", 2), ("c", 3), ("b", 4)].into_iter().collect();
        let pairs: Vec<(&str, u8)> = map.iter().map(|(key, value)| (*key, *value)).collect();
        assert_eq!(pairs, [("a", 2), ("b", 4), ("c", 3)]);
        assert_eq!((map.insert("a", 5), map.insert("aa", 6)), (Some(2), None));
        assert_eq!((*map.or_insert("aa", 7), *map.or_insert("d", 8)), (6, 8));
        assert_eq!((map.remove("b"), map.remove("b"), map.get("c")), (Some(4), None, Some(&3)));
        assert_eq!(map.keys().copied().collect::<Vec<_>>(), ["a", "aa", "c", "d"]);
        assert_eq!(map.last_key_value(), Some((&"d", &8)));
    }

    #[test]
    fn sorting_is_stable() {
        let mut list = [(2, 'a'), (1, 'b'), (2, 'c'), (0, 'd'), (1, 'e')];
        super::sort_by(&mut list, |a, b| a.0.cmp(&b.0));
        assert_eq!(list, [(0, 'd'), (1, 'b'), (1, 'e'), (2, 'a'), (2, 'c')]);
    }

    #[test]
    fn lists_of_any_length_and_order_are_sorted() {
        let mut state = 1u32;
        for length in 0..130usize {
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state >> 27
            };
            let list: Vec<(u32, usize)> = (0..length).map(|at| (next(), at)).collect();
            let (mut ours, mut theirs) = (list.clone(), list.clone());
            super::sort_by(&mut ours, |a, b| a.0.cmp(&b.0));
            theirs.sort_by_key(|(key, _)| *key);
            assert_eq!(ours, theirs);
            let map: Map<u32, usize> = list.iter().copied().collect();
            let last = |wanted: u32| list.iter().rev().find(|(key, _)| *key == wanted).map(|pair| pair.1);
            assert!(map.iter().all(|(key, value)| last(*key) == Some(*value)));
            let set: Set<u32> = list.iter().map(|pair| pair.0).collect();
            assert!(set.iter().eq(map.keys()) && set.len() == map.len());
            let between: Vec<u32> = map.range(&(5..=20)).map(|(key, _)| *key).collect();
            assert_eq!(
                between,
                set.iter().copied().filter(|key| (5..=20).contains(key)).collect::<Vec<u32>>()
            );
        }
    }

    #[test]
    fn a_set_has_everything_once() {
        let mut set: Set<u8> = [3, 1, 3, 2].into_iter().collect();
        assert_eq!(set.as_slice(), [1, 2, 3]);
        assert!(set.insert(0) && !set.insert(2) && set.contains(&0) && !set.contains(&9));
    }
}
