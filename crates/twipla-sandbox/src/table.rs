//! Rows with ids chosen by the caller, in the order of insertion. The cost of a
//! lookup or change does not depend on the number of rows.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// See the module documentation. `IndexMap` keeps the order, too, but shifts
/// all later rows when one is removed.
#[derive(Debug, Clone)]
pub(crate) struct Table<T> {
    places: HashMap<String, u64>,
    rows: BTreeMap<u64, (String, T)>,
    next: u64,
}

impl<T> Table<T> {
    pub(crate) fn new() -> Self {
        Self {
            places: HashMap::new(),
            rows: BTreeMap::new(),
            next: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.places.contains_key(id)
    }

    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        let place = self.places.get(id)?;
        self.rows.get(place).map(|(_, row)| row)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        let place = self.places.get(id)?;
        self.rows.get_mut(place).map(|(_, row)| row)
    }

    /// Appends a row. Replaces one with the same id.
    pub(crate) fn insert(&mut self, id: String, row: T) {
        self.remove(&id);
        self.places.insert(id.clone(), self.next);
        self.rows.insert(self.next, (id, row));
        self.next += 1;
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<T> {
        let place = self.places.remove(id)?;
        self.rows.remove(&place).map(|(_, row)| row)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &T)> {
        self.rows.values().map(|(id, row)| (id, row))
    }
}

/// Serialised as a list of pairs to keep the order.
impl<T: Serialize> Serialize for Table<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.rows.values())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut table = Self::new();
        for (id, row) in Vec::<(String, T)>::deserialize(from)? {
            table.insert(id, row);
        }
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_the_order_of_insertion() {
        let mut table = Table::new();
        for id in ["c", "a", "b", "d"] {
            table.insert(id.to_owned(), id);
        }
        assert_eq!(table.remove("a"), Some("a"));
        table.insert("a".to_owned(), "again");
        table.insert("c".to_owned(), "moved");
        let rows: Vec<_> = table.iter().map(|(id, row)| (id.as_str(), *row)).collect();
        let expected = [("b", "b"), ("d", "d"), ("a", "again"), ("c", "moved")];
        assert_eq!(rows, expected);
        assert_eq!((table.len(), table.get("x")), (4, None));
    }
}
