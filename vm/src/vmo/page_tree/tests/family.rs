//! A family of trees beside one `BTreeMap` each.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::shape::survey;
use super::*;
use crate::try_alloc::fault;

/// More trees than that do not live at the same time.
const MOST_TREES: usize = 6;

/// A tree and what must be in it: the numbers of the pages by index.
struct Member {
    tree: Tree,
    model: BTreeMap<u64, u32>,
}

#[derive(Clone, Debug)]
enum Step {
    Put(u64),
    PutInPlace(u64),
    Remove(u64),
    Drain(u64, u64),
    Snapshot(u64, u64),
    Look(u64, u64),
    Dissolve,
}

/// A step, the tree it is done to, and the number of allocations that succeed.
type Call = (Step, usize, usize);

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..200_u64,
        60..70_u64,
        4090..4100_u64,
        (0..52_u32).prop_map(|bit| 1 << bit),
        Just(PageIndex::LIMIT.number() - 1),
    ]
}

fn range() -> impl Strategy<Value = (u64, u64)> {
    let all = (0, PageIndex::LIMIT.number());
    let part = (number(), number()).prop_map(|(one, other)| (one.min(other), one.max(other)));
    prop_oneof![1 => Just(all), 4 => part]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => number().prop_map(Step::Put),
        6 => number().prop_map(Step::PutInPlace),
        3 => number().prop_map(Step::Remove),
        2 => range().prop_map(|(start, end)| Step::Drain(start, end)),
        3 => range().prop_map(|(start, end)| Step::Snapshot(start, end)),
        2 => range().prop_map(|(start, end)| Step::Look(start, end)),
        1 => Just(Step::Dissolve),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    let plenty = 1000;
    let successes = prop_oneof![4 => Just(plenty), 1 => 0..8_usize];
    (step(), 0..MOST_TREES, successes)
}

impl Member {
    fn new() -> Self {
        let (tree, model) = (Tree::new(), BTreeMap::new());
        Self { tree, model }
    }

    fn put(&mut self, counts: &Counts, index: u64) {
        let new = counts.make();
        let number = new.number();
        match self.tree.put(page(index), new, counts) {
            Ok(before) => {
                let expected = self.model.insert(index, number);
                assert_eq!(before.as_ref().map(TestPage::number), expected);
                before.into_iter().for_each(|page| counts.free(page));
            }
            Err(page) => {
                assert_eq!(page.number(), number);
                counts.free(page);
            }
        }
    }

    fn put_in_place(&mut self, counts: &Counts, index: u64) {
        match self.tree.look_up(page(index), counts) {
            Lookup::Vacant(vacant) => {
                let new = counts.make();
                let before = self.model.insert(index, new.number());
                assert_eq!(before, None);
                vacant.fill(new);
            }
            Lookup::Own(page) => {
                let new = counts.make();
                let before = self.model.insert(index, new.number());
                assert_eq!(before, Some(page.number()));
                counts.free(core::mem::replace(page, new));
            }
            Lookup::Shared(page) => {
                assert_eq!(self.model.get(&index), Some(&page.number()));
            }
            Lookup::NoWay => assert_eq!(self.model.get(&index), None),
        }
    }

    fn remove(&mut self, counts: &Counts, index: u64) {
        if let Ok(removed) = self.tree.remove(page(index), counts) {
            let expected = self.model.remove(&index);
            assert_eq!(removed.as_ref().map(TestPage::number), expected);
            removed.into_iter().for_each(|page| counts.free(page));
        }
    }

    fn drain(&mut self, counts: &Counts, range: Range<u64>) {
        if self.tree.own_edges(pages(range.clone()), counts).is_err() {
            return;
        }
        let mut last = None;
        let model = &mut self.model;
        self.tree
            .drain(pages(range.clone()), counts, &mut |index, page| {
                let index = index.number();
                assert!(range.contains(&index));
                assert!(last < Some(index), "not in ascending order");
                last = Some(index);
                assert_eq!(model.remove(&index), Some(page.number()));
                counts.free(page);
            });
        model.retain(|index, _| !range.contains(index));
    }

    fn snapshot(&self, counts: &Counts, range: Range<u64>) -> Option<Self> {
        let tree = self.tree.snapshot(pages(range.clone()), counts).ok()?;
        let pages = self.model.range(range.clone());
        let model = pages.map(|(index, number)| (index - range.start, *number));
        Some(Self {
            tree,
            model: model.collect(),
        })
    }

    fn look(&self, range: Range<u64>) {
        let expected = self.model.range(range.clone());
        let expected: Vec<_> = expected.map(|(index, page)| (*index, *page)).collect();
        assert_eq!(self.tree.count(pages(range.clone())), expected.len() as u64);
        assert_eq!(contents(&self.tree, pages(range)), expected);
    }
}

fn take(family: &mut Vec<Member>, counts: &Counts, (step, which, successes): Call) {
    let plan = fault::fail_after(successes);
    let which = which % family.len();
    let member = &mut family[which];
    match step {
        Step::Put(index) => member.put(counts, index),
        Step::PutInPlace(index) => member.put_in_place(counts, index),
        Step::Remove(index) => member.remove(counts, index),
        Step::Drain(start, end) => member.drain(counts, start..end),
        Step::Look(start, end) => member.look(start..end),
        Step::Snapshot(start, end) => {
            let child = member.snapshot(counts, start..end);
            if let Some(child) = child {
                family.push(child);
            }
            if family.len() > MOST_TREES {
                dissolve(family.remove(which).tree, counts);
            }
        }
        Step::Dissolve => {
            let gone = core::mem::replace(member, Member::new());
            dissolve(gone.tree, counts);
        }
    }
    drop(plan);
}

/// Whether a visit of only the page at `index`, which is present, tells that nobody else has it.
fn is_seen_as_own(tree: &Tree, counts: &Counts, index: u64) -> bool {
    let seen = tree.visit_own(pages(index..index + 1), counts, |at, _, sharing| {
        assert_eq!(at, page(index));
        ControlFlow::Break(sharing)
    });
    seen == ControlFlow::Break(Sharing::Own)
}

/// Compares all trees with their models, and the keeper's counts with what the models say.
fn check(family: &[Member], counts: &Counts) {
    let mut holders = BTreeMap::<u32, usize>::new();
    for number in family.iter().flat_map(|member| member.model.values()) {
        *holders.entry(*number).or_default() += 1;
    }
    assert_eq!(counts.living(), holders.keys().copied().collect::<Vec<_>>());
    let mut nodes = BTreeMap::new();
    let mut bytes = 0;
    for Member { tree, model } in family {
        let survey = survey(tree);
        assert_eq!(survey.pages.len(), model.len());
        nodes.extend(survey.nodes);
        bytes += tree.metadata_bytes();
        for (index, number) in model {
            assert_eq!(tree.get(page(*index)).map(TestPage::number), Some(*number));
            let is_own = match tree.find(page(*index), counts) {
                Found::Own(page) => (page.number(), true),
                Found::Shared(page) => (page.number(), false),
                Found::Absent => panic!("page {index} is absent"),
            };
            assert_eq!(is_own, (*number, holders[number] == 1));
            assert_eq!(is_seen_as_own(tree, counts, *index), is_own.1);
        }
        let mut seen = model.iter();
        let _ = tree.visit_own(ALL, counts, |index, page, sharing| {
            let number = page.number();
            assert_eq!(seen.next(), Some((&index.number(), &number)));
            assert_eq!(sharing == Sharing::Own, holders[&number] == 1);
            ControlFlow::<()>::Continue(())
        });
        assert_eq!(seen.next(), None);
    }
    // Each tree rounds its part down.
    let exact: usize = nodes.values().sum();
    assert!((exact.saturating_sub(family.len())..=exact).contains(&bytes));
}

proptest! {
    #[test]
    fn trees_that_share_behave_like_separate_maps(
        calls in prop::collection::vec(call(), 1..120),
    ) {
        let counts = Counts::default();
        let mut family = vec![Member::new()];
        for call in calls {
            take(&mut family, &counts, call);
            check(&family, &counts);
        }
        for member in family {
            dissolve(member.tree, &counts);
        }
        prop_assert_eq!(counts.len(), 0);
    }
}
