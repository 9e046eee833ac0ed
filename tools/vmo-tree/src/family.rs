//! A family whose members and pages fit together.

use std::collections::HashMap;

use drawing::format::ReadError;

use crate::document::{Document, FORMAT, Mapping, Row, Run, VmoRow};

/// Pages that a VMO can have at most: one for each 4,096 of the bytes that a number of 64 bits can count.
const MOST_PAGES: u64 = 1 << 52;

/// A family of VMOs.
///
/// 1. Members are in the order of the tree, each before its children, those by age.
/// 2. The runs of a member are in order, do not overlap, and lie inside it.
#[derive(Debug)]
pub struct Family {
    /// `x86_64` or `aarch64`.
    pub architecture: String,
    /// The VMO that was asked for.
    pub asked: u64,
    /// The members.
    pub members: Vec<Member>,
    /// The mappings of members.
    pub mappings: Vec<Mapping>,
    /// The member with this koid.
    index: HashMap<u64, usize>,
}

/// A VMO of the family.
#[derive(Debug)]
pub struct Member {
    /// What the document says of it.
    pub row: VmoRow,
    /// How many generations it is below the oldest one that lives.
    pub depth: usize,
    /// How many members before it have pages of their own: which colour it has.
    pub number: usize,
    /// Its pages, or those that it shows of another.
    pub runs: Vec<Run>,
}

impl Family {
    /// Puts a family together.
    ///
    /// # Errors
    /// Rows do not fit together.
    pub fn new(document: Document) -> Result<Self, ReadError> {
        let mut members = Vec::new();
        let mut mappings = Vec::new();
        for (number, row) in document.rows.into_iter().enumerate() {
            let misfit = |what| FORMAT.misfit(number + 1, what);
            match row {
                Row::Vmo(row) => members.push(Member::new(row).map_err(misfit)?),
                Row::Pages(run) => {
                    let last = members.last_mut().ok_or("belongs to no member");
                    last.and_then(|member| member.add(run)).map_err(misfit)?;
                }
                Row::Mapping(mapping) => mappings.push(mapping),
            }
        }
        let mut members = in_tree_order(members)
            .map_err(|koid| FORMAT.other(format!("a family with two members {koid}")))?;
        let index = index(&members);
        show_views(&mut members, &index);
        Ok(Self {
            architecture: document.architecture,
            asked: document.vmo,
            members,
            mappings,
            index,
        })
    }

    /// The place of the member with this koid.
    pub fn place(&self, koid: u64) -> Option<usize> {
        self.index.get(&koid).copied()
    }

    /// The member with this koid.
    pub fn member(&self, koid: u64) -> Option<&Member> {
        self.place(koid).map(|place| &self.members[place])
    }
}

impl Member {
    fn new(row: VmoRow) -> Result<Self, &'static str> {
        if row.pages > MOST_PAGES || row.position > MOST_PAGES {
            return Err("has more pages than a VMO can have");
        }
        Ok(Self {
            row,
            depth: 0,
            number: 0,
            runs: Vec::new(),
        })
    }

    fn add(&mut self, run: Run) -> Result<(), &'static str> {
        let end = run.first.checked_add(run.pages);
        let free = self.runs.last().map_or(0, Run::end);
        if run.pages == 0 || run.sharers == 0 {
            Err("has no pages or nobody who sees them")
        } else if end.is_none_or(|end| end > self.row.pages) {
            Err("lies outside its member")
        } else if run.first < free {
            Err("overlaps the run before")
        } else {
            self.runs.push(run);
            Ok(())
        }
    }

    /// Whether its pages are its own.
    pub const fn is_owner(&self) -> bool {
        self.row.shows == self.row.koid
    }

    /// Where it begins and ends in the family's numbering.
    pub const fn range(&self) -> (u64, u64) {
        (self.row.position, self.row.position + self.row.pages)
    }
}

impl Run {
    /// The page after the last one.
    pub const fn end(&self) -> u64 {
        self.first + self.pages
    }
}

fn index(members: &[Member]) -> HashMap<u64, usize> {
    let places = members.iter().enumerate();
    places
        .map(|(place, member)| (member.row.koid, place))
        .collect()
}

/// The members, each before its children; one whose parent is not there is nobody's child.
///
/// # Errors
/// The koid that two of them have.
fn in_tree_order(members: Vec<Member>) -> Result<Vec<Member>, u64> {
    let mut by_age: Vec<Option<Member>> = members.into_iter().map(Some).collect();
    by_age.sort_by_key(|member| member.as_ref().map(|member| member.row.koid));
    let koids: Vec<u64> = by_age
        .iter()
        .flatten()
        .map(|member| member.row.koid)
        .collect();
    if let Some(pair) = koids.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(pair[0]);
    }
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); koids.len()];
    let mut roots = Vec::new();
    for (number, member) in by_age.iter().flatten().enumerate() {
        // Parents are older than their children, so there is no circle among these.
        let parent = member.row.parent.filter(|parent| *parent < member.row.koid);
        match parent.and_then(|parent| koids.binary_search(&parent).ok()) {
            Some(parent) => children[parent].push(number),
            None => roots.push(number),
        }
    }
    let mut ordered = Vec::with_capacity(koids.len());
    let mut owners = 0;
    let mut waiting: Vec<(usize, usize)> = roots.into_iter().rev().map(|root| (root, 0)).collect();
    while let Some((number, depth)) = waiting.pop() {
        if let Some(member) = by_age[number].take() {
            let number = owners;
            owners += usize::from(member.is_owner());
            ordered.push(Member {
                depth,
                number,
                ..member
            });
        }
        let below = children[number].iter().rev();
        waiting.extend(below.map(|child| (*child, depth + 1)));
    }
    Ok(ordered)
}

/// Gives members that show pages of another the runs that they show.
fn show_views(members: &mut [Member], index: &HashMap<u64, usize>) {
    for place in 0..members.len() {
        let view = &members[place];
        let Some(owner) = index.get(&view.row.shows).filter(|owner| **owner != place) else {
            continue;
        };
        let owner = &members[*owner];
        let (start, end) = view.range();
        let shown = owner.runs.iter().filter_map(|run| {
            let first = (owner.row.position + run.first).max(start);
            let past = (owner.row.position + run.end()).min(end);
            (first < past).then(|| Run {
                first: first - start,
                pages: past - first,
                ..run.clone()
            })
        });
        let shown: Vec<Run> = shown.collect();
        members[place].runs = shown;
    }
}
