//! A line of objects that wait for a turn: in the order of arrival within a namespace, and one namespace after the other, so that one with
//! thousands of waiting objects does not hold up another with one.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
    ops::Bound,
};

use crate::controller::ownership::identity::Name;

/// The line.
#[derive(Debug, Default)]
pub struct Line {
    /// By namespace, and there by arrival.
    lines: BTreeMap<String, BTreeMap<u64, Name>>,
    places: HashMap<Name, u64>,
    arrivals: u64,
    /// The namespace that was served last.
    served: String,
}

impl Line {
    /// Puts an object at the end of its namespace's line; one that stands there already keeps its place.
    pub fn push(&mut self, name: &Name) {
        if self.places.contains_key(name) {
            return;
        }
        self.arrivals += 1;
        self.places.insert(name.clone(), self.arrivals);
        let line = self.lines.entry(name.namespace().to_owned()).or_default();
        line.insert(self.arrivals, name.clone());
    }

    /// Takes an object out.
    pub fn remove(&mut self, name: &Name) {
        let Some(place) = self.places.remove(name) else { return };
        shrink(&mut self.places);
        if let Some(line) = self.lines.get_mut(name.namespace()) {
            line.remove(&place);
            if line.is_empty() {
                self.lines.remove(name.namespace());
            }
        }
    }

    /// The first object of the next namespace.
    pub fn pop(&mut self) -> Option<Name> {
        let after = (Bound::Excluded(self.served.as_str()), Bound::Unbounded);
        let mut next = self.lines.range::<str, _>(after);
        let (namespace, line) = next.next().or_else(|| self.lines.first_key_value())?;
        let name = line.values().next()?.clone();
        self.served.clone_from(namespace);
        self.remove(&name);
        Some(name)
    }

    /// The next object that is not this one, or this one when no other waits.
    pub fn pop_rather_than(&mut self, unwanted: Option<&Name>) -> Option<Name> {
        let first = self.pop()?;
        if Some(&first) != unwanted {
            return Some(first);
        }
        let Some(second) = self.pop() else { return Some(first) };
        self.push(&first);
        Some(second)
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

/// Gives back what many took: after a start over all objects a map would keep its greatest size.
pub fn shrink<K: Eq + Hash, V>(map: &mut HashMap<K, V>) {
    if map.capacity() > 8 * map.len().max(128) {
        map.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        let (namespace, name) = text.split_once('/').expect("namespace/name");
        Name::new(namespace, name)
    }

    fn queue(names: &[&str]) -> Line {
        let mut queue = Line::default();
        for text in names {
            queue.push(&name(text));
        }
        queue
    }

    fn order(mut queue: Line) -> Vec<String> {
        std::iter::from_fn(|| queue.pop())
            .map(|name| name.to_string())
            .collect()
    }

    #[test]
    fn namespaces_take_turns_and_within_one_the_first_is_first() {
        let queue = queue(&["b/9", "b/1", "b/5", "a/2", "c/7", "a/1"]);
        assert_eq!(order(queue), ["a/2", "b/9", "c/7", "a/1", "b/1", "b/5"]);
    }

    #[test]
    fn one_among_thousands_is_served_second() {
        let mut queue = Line::default();
        for number in 0..9000 {
            queue.push(&Name::new("big", &number.to_string()));
        }
        queue.pop();
        queue.push(&name("small/one"));
        assert_eq!(queue.pop(), Some(name("small/one")));
        assert_eq!(queue.len(), 8999);
        queue.push(&name("earlier/one"));
        assert_eq!(queue.pop(), Some(name("big/1")), "whatever the namespaces are called");
        assert_eq!(queue.pop(), Some(name("earlier/one")));
    }

    #[test]
    fn an_object_stands_there_once_and_keeps_its_place() {
        let mut queue = queue(&["a/1", "a/2", "a/1"]);
        assert_eq!(queue.len(), 2);
        queue.remove(&name("a/1"));
        queue.remove(&name("a/1"));
        queue.push(&name("a/1"));
        assert_eq!(order(queue), ["a/2", "a/1"]);
    }

    #[test]
    fn nothing_is_left_behind() {
        let mut queue = queue(&["a/1", "b/1"]);
        queue.remove(&name("a/1"));
        assert_eq!(queue.pop(), Some(name("b/1")));
        assert!(queue.is_empty() && queue.lines.is_empty());
        assert_eq!(queue.pop(), None);
    }

    #[test]
    fn who_is_not_wanted_is_taken_when_no_other_waits() {
        let unwanted = name("a/1");
        let mut queue = queue(&["a/1", "a/2"]);
        assert_eq!(queue.pop_rather_than(Some(&unwanted)), Some(name("a/2")));
        assert_eq!(queue.pop_rather_than(Some(&unwanted)), Some(name("a/1")));
        assert_eq!(queue.pop_rather_than(Some(&unwanted)), None);
    }
}
