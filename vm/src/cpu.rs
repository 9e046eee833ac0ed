//! Processors by number, and sets of them.

use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};

/// How many processors the system can use.
pub const MAX_CPUS: usize = 32;

/// The number of a processor: the boot processor is 0, and numbers have no holes.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct CpuId(u8);

impl CpuId {
    /// The processor that starts the system.
    pub const BOOT: Self = Self(0);

    /// The processor with number `index`; `None` unless it is below [`MAX_CPUS`].
    pub const fn new(index: usize) -> Option<Self> {
        if index < MAX_CPUS {
            Some(Self(index as u8))
        } else {
            None
        }
    }

    /// The number, below [`MAX_CPUS`].
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for CpuId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

/// What tells which processor runs the caller: a type, so that asking is no call through a pointer.
pub trait CurrentCpu: Send + Sync + 'static {
    /// The processor that runs the caller.
    fn current_cpu() -> CpuId;
}

/// A set of processors.
#[derive(Clone, Copy, Default, Eq, PartialEq)]
#[repr(transparent)]
pub struct CpuSet(u32);

impl CpuSet {
    /// No processor.
    pub const EMPTY: Self = Self(0);

    /// Every possible processor, whether it exists or not.
    pub const ALL: Self = Self(u32::MAX);

    /// The set of only `cpu`.
    #[inline]
    pub const fn only(cpu: CpuId) -> Self {
        Self(1 << cpu.0)
    }

    /// The processors numbered below `count`.
    pub const fn first(count: usize) -> Self {
        if count >= MAX_CPUS {
            Self::ALL
        } else {
            Self((1 << count) - 1)
        }
    }

    /// This set and `cpu`.
    #[inline]
    pub const fn with(self, cpu: CpuId) -> Self {
        Self(self.0 | 1 << cpu.0)
    }

    /// This set without `cpu`.
    #[inline]
    pub const fn without(self, cpu: CpuId) -> Self {
        Self(self.0 & !(1 << cpu.0))
    }

    /// The processors that are in both sets.
    #[inline]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether `cpu` is in the set.
    #[inline]
    pub const fn contains(self, cpu: CpuId) -> bool {
        self.0 & 1 << cpu.0 != 0
    }

    /// Whether no processor is in the set.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many processors are in the set.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The processors in the set, the lowest number first.
    pub fn iter(self) -> impl Iterator<Item = CpuId> {
        let mut rest = self;
        core::iter::from_fn(move || {
            let cpu = CpuId::new(rest.0.trailing_zeros() as usize)?;
            rest = rest.without(cpu);
            Some(cpu)
        })
    }
}

impl fmt::Debug for CpuSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_set()
            .entries(self.iter().map(CpuId::index))
            .finish()
    }
}

/// A set of processors that several processors change at once.
///
/// All operations are sequentially consistent: a processor that enters the set of those that use a page
/// table and then reads the table, and one that changes the table and then reads the set, cannot
/// both miss what the other did.
#[derive(Debug, Default)]
pub struct AtomicCpuSet(AtomicU32);

impl AtomicCpuSet {
    /// The empty set.
    pub const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// The set as it is now.
    #[inline]
    pub fn load(&self) -> CpuSet {
        CpuSet(self.0.load(Ordering::SeqCst))
    }

    /// Puts `cpu` into the set.
    #[inline]
    pub fn insert(&self, cpu: CpuId) {
        self.0.fetch_or(1 << cpu.0, Ordering::SeqCst);
    }

    /// Takes `cpu` out of the set.
    #[inline]
    pub fn remove(&self, cpu: CpuId) {
        self.0.fetch_and(!(1 << cpu.0), Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn cpu(index: usize) -> CpuId {
        CpuId::new(index).expect("a possible processor")
    }

    #[test]
    fn numbers_end_below_the_maximum() {
        assert_eq!(
            CpuId::new(MAX_CPUS - 1).map(CpuId::index),
            Some(MAX_CPUS - 1)
        );
        assert_eq!(CpuId::new(MAX_CPUS), None);
    }

    #[test]
    fn a_set_knows_its_members() {
        let set = CpuSet::only(cpu(3)).with(cpu(31));
        assert!(set.contains(cpu(3)) && set.contains(cpu(31)) && !set.contains(cpu(0)));
        assert_eq!(set.iter().collect::<Vec<_>>(), [cpu(3), cpu(31)]);
        assert_eq!(set.without(cpu(3)), CpuSet::only(cpu(31)));
        assert_eq!(set.len(), 2);
        assert!(set.intersection(CpuSet::only(cpu(1))).is_empty());
    }

    #[test]
    fn the_first_processors_are_the_lowest_numbers() {
        assert_eq!(CpuSet::first(0), CpuSet::EMPTY);
        assert_eq!(CpuSet::first(2), CpuSet::only(cpu(0)).with(cpu(1)));
        assert_eq!(CpuSet::first(MAX_CPUS), CpuSet::ALL);
    }

    #[test]
    fn an_atomic_set_changes_member_by_member() {
        let set = AtomicCpuSet::new();
        set.insert(cpu(2));
        set.insert(cpu(5));
        set.remove(cpu(2));
        assert_eq!(set.load(), CpuSet::only(cpu(5)));
    }
}
