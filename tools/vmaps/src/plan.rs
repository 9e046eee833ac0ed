//! What gets a row of its own, and what stands in a crowd.
//!
//! If there is room for everything, everything gets a row, and so does every gap. If not, the siblings in a
//! region are divided: the first few, as samples, and those that are unlike the others get rows; what is
//! between them becomes a [`Item::Crowd`], which the picture shows as strips. Room that a region gets is
//! divided among its rows in the same way.

use std::ops::Range;

use crate::document::Kind;
use crate::space::Space;

/// Levels of regions that are drawn in each other; deeper ones are crowds, however few.
const DEEPEST: usize = 12;

/// Siblings that are shown as samples of a crowd.
const SAMPLES: usize = 2;

/// How much more there must be in a region than in its siblings on average to show it by itself.
const UNLIKE: usize = 8;

/// Rows that a crowd takes.
const CROWD_ROWS: usize = 4;

/// The fewest rows that the inside of a region can be divided into.
const FEWEST_ROWS: usize = 3 * CROWD_ROWS;

/// Something that is drawn.
#[derive(Debug, Eq, PartialEq)]
pub enum Item {
    /// A region, with what is in it.
    Region {
        /// Its row.
        row: usize,
        /// What is in it, by address.
        items: Vec<Self>,
    },
    /// A mapping.
    Mapping {
        /// Its row.
        row: usize,
    },
    /// Addresses where nothing is.
    Gap {
        /// The first address.
        base: u64,
        /// How many bytes.
        size: u64,
    },
    /// Siblings, with all that is in them.
    Crowd {
        /// All their rows.
        rows: Range<usize>,
        /// How many siblings they are.
        siblings: usize,
    },
}

/// What is drawn of an address space.
#[derive(Debug)]
pub struct Plan {
    /// From the lowest address to the highest.
    pub items: Vec<Item>,
}

impl Plan {
    /// What to draw if there is room for about so many `rows`.
    pub fn new(space: &Space, rows: usize) -> Self {
        if space.is_empty() {
            return Self { items: Vec::new() };
        }
        let planner = Planner::new(space);
        let items = match space.row(0).kind {
            Kind::Space => planner.inside(0, rows.max(FEWEST_ROWS), 0),
            Kind::Vmar | Kind::Mapping(_) => vec![planner.item(0, rows.max(FEWEST_ROWS), 0)],
        };
        Self { items }
    }
}

struct Planner<'a> {
    space: &'a Space,
    /// How many rows it takes to draw each row and all that is in it, gaps included.
    costs: Vec<usize>,
    /// How many rows before each row can be executed.
    executable_before: Vec<usize>,
}

impl<'a> Planner<'a> {
    fn new(space: &'a Space) -> Self {
        let mut costs = vec![1; space.len()];
        for row in (0..space.len()).rev() {
            costs[row] += space.children(row).map(|child| costs[child]).sum::<usize>();
            if !matches!(space.row(row).kind, Kind::Mapping(_)) {
                costs[row] += gaps(space, row).count();
            }
        }
        let mut executable_before = Vec::with_capacity(space.len() + 1);
        executable_before.push(0);
        for row in 0..space.len() {
            let can_execute = space
                .mappings(row..row + 1)
                .any(|(_, mapping)| mapping.permissions.can_execute());
            executable_before.push(executable_before[row] + usize::from(can_execute));
        }
        Self {
            space,
            costs,
            executable_before,
        }
    }

    /// Row `row` by itself, in about `room` rows.
    fn item(&self, row: usize, room: usize, level: usize) -> Item {
        match self.space.row(row).kind {
            Kind::Mapping(_) => Item::Mapping { row },
            Kind::Space | Kind::Vmar => Item::Region {
                row,
                items: self.inside(row, room.saturating_sub(1), level + 1),
            },
        }
    }

    /// What is in row `row`, in about `room` rows.
    fn inside(&self, row: usize, room: usize, level: usize) -> Vec<Item> {
        let children: Vec<usize> = self.space.children(row).collect();
        let runs = if level < DEEPEST && self.costs[row] - 1 <= room.max(FEWEST_ROWS) {
            vec![Run::Alone(children)]
        } else if level < DEEPEST && room >= FEWEST_ROWS {
            self.divide(&children, room)
        } else {
            vec![Run::Crowd(children)]
        };
        let shares = self.shares(&runs, room);
        let mut items = Vec::new();
        let mut free = self.space.row(row).base;
        for run in runs {
            match run {
                Run::Alone(rows) => {
                    for child in rows {
                        self.add_gap(&mut items, free, self.space.row(child).base);
                        free = self.space.row(child).end();
                        let room = self.costs[child].min(shares);
                        items.push(self.item(child, room, level));
                    }
                }
                Run::Crowd(rows) => {
                    if let (Some(&first), Some(&last)) = (rows.first(), rows.last()) {
                        self.add_gap(&mut items, free, self.space.row(first).base);
                        free = self.space.row(last).end();
                        items.push(Item::Crowd {
                            rows: first..self.space.end(last),
                            siblings: rows.len(),
                        });
                    }
                }
            }
        }
        self.add_gap(&mut items, free, self.space.row(row).end());
        items
    }

    fn add_gap(&self, items: &mut Vec<Item>, base: u64, end: u64) {
        if base < end {
            items.push(Item::Gap {
                base,
                size: end - base,
            });
        }
    }

    /// The most rows that each row that stands alone may have, so that all of them fit into `room`.
    fn shares(&self, runs: &[Run], room: usize) -> usize {
        let crowds = runs.iter().filter(|run| matches!(run, Run::Crowd(_)));
        let mut room = room.saturating_sub(CROWD_ROWS * crowds.count());
        let mut costs: Vec<usize> = runs
            .iter()
            .flat_map(|run| match run {
                Run::Alone(rows) => rows.as_slice(),
                Run::Crowd(_) => &[],
            })
            // And the gap before it.
            .map(|row| self.costs[*row] + 1)
            .collect();
        costs.sort_unstable();
        let mut left = costs.len();
        for cost in costs {
            let share = room / left;
            if cost > share {
                return share;
            }
            room -= cost;
            left -= 1;
        }
        usize::MAX
    }

    /// Divides siblings into those that get rows and those that stand in crowds.
    fn divide(&self, siblings: &[usize], room: usize) -> Vec<Run> {
        let is_shown = self.shown(siblings, room);
        let mut runs: Vec<Run> = Vec::new();
        for (sibling, is_shown) in siblings.iter().zip(is_shown) {
            match (runs.last_mut(), is_shown) {
                (Some(Run::Alone(rows)), true) | (Some(Run::Crowd(rows)), false) => {
                    rows.push(*sibling);
                }
                (_, true) => runs.push(Run::Alone(vec![*sibling])),
                (_, false) => runs.push(Run::Crowd(vec![*sibling])),
            }
        }
        // A row that would be a crowd by itself takes less room as a row.
        for run in &mut runs {
            if let Run::Crowd(rows) = run
                && let [only] = rows[..]
                && self.costs[only] < CROWD_ROWS
            {
                *run = Run::Alone(vec![only]);
            }
        }
        runs
    }

    /// Which siblings get rows: samples, and those that are unlike the others.
    fn shown(&self, siblings: &[usize], room: usize) -> Vec<bool> {
        let total: usize = siblings.iter().map(|row| self.costs[*row]).sum();
        let average = total / siblings.len().max(1);
        let mut unlike: Vec<usize> = (0..siblings.len())
            .filter(|place| {
                let row = siblings[*place];
                self.can_execute(row) || self.costs[row] > UNLIKE * average
            })
            .collect();
        unlike.sort_by_key(|place| {
            let row = siblings[*place];
            (!self.can_execute(row), std::cmp::Reverse(self.costs[row]))
        });
        // Each of them may need a crowd before it.
        unlike.truncate(room / (2 * CROWD_ROWS));
        let mut is_shown = vec![false; siblings.len()];
        for place in unlike.into_iter().chain(0..SAMPLES.min(siblings.len())) {
            is_shown[place] = true;
        }
        is_shown
    }

    fn can_execute(&self, row: usize) -> bool {
        self.executable_before[self.space.end(row)] > self.executable_before[row]
    }
}

/// Siblings that follow each other.
enum Run {
    /// Each gets a row.
    Alone(Vec<usize>),
    /// They share one.
    Crowd(Vec<usize>),
}

/// The gaps directly in row `row`.
pub fn gaps(space: &Space, row: usize) -> impl Iterator<Item = (u64, u64)> {
    let mut free = space.row(row).base;
    let end = space.row(row).end();
    let bounds = space
        .children(row)
        .map(|child| (space.row(child).base, space.row(child).end()))
        .chain([(end, end)]);
    bounds.filter_map(move |(base, next)| {
        let gap = (free < base).then_some((free, base));
        free = next;
        gap
    })
}
