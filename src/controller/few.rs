//! A set that mostly has one member, and then costs no more than that.

use std::{
    collections::{BTreeSet, HashMap, btree_set, hash_map::Entry},
    hash::Hash,
};

/// A set with at least one member. A hundred thousand of them, each a tree of its own, would cost a node of eleven places
/// for every single member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Few<T> {
    /// Just this.
    One(T),
    /// Several; or fewer again, after there were several.
    Many(BTreeSet<T>),
}

/// The members of a [`Few`], in their order.
pub enum Members<'a, T> {
    /// The only one.
    One(Option<&'a T>),
    /// All of them.
    Many(btree_set::Iter<'a, T>),
}

impl<T: Ord> Few<T> {
    /// Adds a member.
    fn insert(&mut self, member: T) {
        match self {
            Self::One(only) if *only == member => {}
            Self::Many(all) => {
                all.insert(member);
            }
            Self::One(_) => {
                if let Self::One(only) = std::mem::replace(self, Self::Many(BTreeSet::new())) {
                    *self = Self::Many([only, member].into());
                }
            }
        }
    }

    /// Takes a member out, unless it is the only one. Whether it was: then the set itself is to go.
    fn remove(&mut self, member: &T) -> bool {
        match self {
            Self::One(only) => only == member,
            Self::Many(all) => {
                all.remove(member);
                all.is_empty()
            }
        }
    }

    /// The smallest member.
    pub fn first(&self) -> Option<&T> {
        self.iter().next()
    }

    /// All members, in their order.
    pub fn iter(&self) -> Members<'_, T> {
        match self {
            Self::One(only) => Members::One(Some(only)),
            Self::Many(all) => Members::Many(all.iter()),
        }
    }
}

/// Adds a member to the set of this key.
pub fn add<K: Eq + Hash, T: Ord>(sets: &mut HashMap<K, Few<T>>, key: K, member: T) {
    match sets.entry(key) {
        Entry::Occupied(mut set) => set.get_mut().insert(member),
        Entry::Vacant(place) => {
            place.insert(Few::One(member));
        }
    }
}

/// Takes a member out of the set of this key, and the set away with the last one.
pub fn drop<K: Eq + Hash, T: Ord>(sets: &mut HashMap<K, Few<T>>, key: K, member: &T) {
    if let Entry::Occupied(mut set) = sets.entry(key)
        && set.get_mut().remove(member)
    {
        set.remove();
    }
}

impl<'a, T> Iterator for Members<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        match self {
            Self::One(only) => only.take(),
            Self::Many(all) => all.next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(few: &Few<u8>) -> Vec<u8> {
        few.iter().copied().collect()
    }

    #[test]
    fn is_a_set_whatever_its_size() {
        let mut few = Few::One(2);
        few.insert(2);
        assert_eq!(few, Few::One(2));
        few.insert(1);
        few.insert(3);
        few.insert(1);
        assert_eq!((members(&few), few.first()), (vec![1, 2, 3], Some(&1)));
        assert!(!few.remove(&1) && !few.remove(&9) && !few.remove(&3));
        assert_eq!(members(&few), [2]);
        assert!(few.remove(&2), "nothing is left");
        assert!(Few::One(2).remove(&2), "nothing would be left");
        assert!(!Few::One(2).remove(&3));
    }
}
