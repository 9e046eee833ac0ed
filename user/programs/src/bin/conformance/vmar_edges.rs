//! Every range that begins or ends at, next to or beyond an edge of what is there, for every call.
//!
//! A region of eight pages is filled after a [`Picture`]; the call is made with every first page from one
//! before the region to one behind, and every length from zero to more than the region; then the answer
//! and the picture that results are compared with what the rules of `docs/spec/vmar.md` make of it. Left
//! and right of the region lie mappings of its parent, which must never change.

mod picture;

use alloc::format;

use zx::{AsHandleRef, Status, Vmo, sys};

use crate::calls::{self, AllocateCall, MapCall, ProtectCall};
use crate::fixtures::{P, Region, vmo_of};
use crate::harness::{Failure, Outcome, Test, check_eq, fail, tests};
use picture::{Cell, PAGES, Picture};

pub const TESTS: &[Test] = tests![
    unmap_at_every_edge,
    protect_at_every_edge,
    map_at_every_edge,
    overwrite_at_every_edge,
    allocate_at_every_edge,
    map_below_every_limit,
    allocate_anywhere_in_what_is_left,
];

/// What the regions hold. A letter is a mapping, a capital a region, a dot nothing.
const PICTURES: [&str; 7] = [
    "........", "aaaaaaaa", "aabb..cc", ".aa.AA.b", "AAAABBBB", "aAbB.cCd", "AAAAAAAA",
];

/// A range of pages of the region, as tests give it to a call.
#[derive(Clone, Copy, Debug)]
struct Span {
    /// From one before the region on.
    first: isize,
    pages: usize,
}

impl Span {
    /// All that are of interest.
    fn all() -> impl Iterator<Item = Self> {
        let firsts = -1..=PAGES as isize;
        firsts.flat_map(|first| (0..=PAGES + 1).map(move |pages| Self { first, pages }))
    }

    /// The offset in bytes; wraps before the region.
    const fn offset(self) -> usize {
        self.first.wrapping_mul(P as isize) as usize
    }

    /// The pages in the region; none if there are none or not all are in it.
    fn inside(self) -> Option<core::ops::Range<usize>> {
        let first = usize::try_from(self.first).ok()?;
        let end = first + self.pages;
        (self.pages > 0 && end <= PAGES).then_some(first..end)
    }
}

/// A region between two mappings of its parent, filled after a picture.
struct Scene {
    parent: Region,
    region: Region,
}

impl Scene {
    fn new(picture: &Picture) -> Result<Self, Status> {
        let parent = Region::new(PAGES + 4)?;
        let neighbour = vmo_of(1)?;
        parent.map_at(1, &neighbour, 1)?;
        parent.map_at(PAGES + 2, &neighbour, 1)?;
        let region = parent.child(2, PAGES)?;
        picture.fill(&region)?;
        Ok(Self { parent, region })
    }

    /// Fails unless the neighbours are as they were.
    fn check_neighbours(&self) -> Outcome {
        let shape = self.parent.shape()?;
        let direct = shape.iter().filter(|line| line.depth == 1);
        let pages = direct.map(|line| ((line.base - self.parent.at(0)) / P, line.size / P));
        let expected = [(1, 1), (2, PAGES), (PAGES + 2, 1)];
        check_eq(pages.collect::<alloc::vec::Vec<_>>(), expected.into())
    }
}

/// Makes `call` at every span of every picture; `rule` says what it makes of the picture.
fn at_every_edge(
    rule: fn(&mut Picture, Span) -> Result<(), Status>,
    call: fn(&Region, &Vmo, Span) -> Result<(), Status>,
) -> Outcome {
    let vmo = vmo_of(PAGES)?;
    for text in PICTURES {
        let before = Picture::parse(text);
        for span in Span::all() {
            let scene = Scene::new(&before)?;
            let mut expected = before;
            let verdict = rule(&mut expected, span);
            let answer = call(&scene.region, &vmo, span);
            let after = Picture::of(&scene.region)?;
            if (answer, after) != (verdict, expected) {
                return fail(format!(
                    "{text} {span:?}: expected {verdict:?} {expected:?}, got {answer:?} {after:?}"
                ));
            }
            scene.check_neighbours()?;
        }
    }
    Ok(())
}

fn unmap_at_every_edge() -> Outcome {
    at_every_edge(
        |picture, span| {
            let pages = span.inside().ok_or(Status::INVALID_ARGS)?;
            if picture.cuts_a_region(&pages) {
                return Err(Status::INVALID_ARGS);
            }
            picture.set(pages, Cell::Hole);
            Ok(())
        },
        |region, _, span| {
            let address = region.at(0).wrapping_add(span.offset());
            calls::unmap(region.raw_handle(), address, span.pages * P)
        },
    )
}

fn protect_at_every_edge() -> Outcome {
    at_every_edge(
        |picture, span| {
            let pages = span.inside().ok_or(Status::INVALID_ARGS)?;
            // The regions are empty, and so as good as holes.
            if !picture.cells(&pages).all(Cell::is_mapping) {
                return Err(Status::NOT_FOUND);
            }
            picture.make_read_only(pages);
            Ok(())
        },
        |region, _, span| {
            let call = ProtectCall {
                address: region.at(0).wrapping_add(span.offset()),
                length: span.pages * P,
                ..ProtectCall::read_only(region, 0)
            };
            call.make()
        },
    )
}

/// The call that maps the pages of `span`, each with the page of the VMO with the same number.
fn map_call(region: &Region, vmo: &Vmo, span: Span, placement: u32) -> MapCall {
    let valid = MapCall::one_page(region, vmo);
    MapCall {
        options: valid.options | placement,
        vmar_offset: span.offset(),
        vmo_offset: span.first.max(0) as u64 * P as u64,
        length: span.pages * P,
        ..valid
    }
}

fn map_at_every_edge() -> Outcome {
    at_every_edge(
        |picture, span| {
            let pages = span.inside().ok_or(Status::INVALID_ARGS)?;
            if !picture.cells(&pages).all(Cell::is_hole) {
                return Err(Status::ALREADY_EXISTS);
            }
            picture.set(pages, Cell::NEW);
            Ok(())
        },
        |region, vmo, span| {
            let call = map_call(region, vmo, span, sys::ZX_VM_SPECIFIC);
            call.make().map(drop)
        },
    )
}

fn overwrite_at_every_edge() -> Outcome {
    at_every_edge(
        |picture, span| {
            let pages = span.inside().ok_or(Status::INVALID_ARGS)?;
            if picture.cells(&pages).any(Cell::is_region) {
                return Err(Status::INVALID_ARGS);
            }
            picture.set(pages, Cell::NEW);
            Ok(())
        },
        |region, vmo, span| {
            let call = map_call(region, vmo, span, sys::ZX_VM_SPECIFIC_OVERWRITE);
            call.make().map(drop)
        },
    )
}

fn allocate_at_every_edge() -> Outcome {
    at_every_edge(
        |picture, span| {
            let pages = span.inside().ok_or(Status::INVALID_ARGS)?;
            if !picture.cells(&pages).all(Cell::is_hole) {
                return Err(Status::ALREADY_EXISTS);
            }
            picture.add_region(pages);
            Ok(())
        },
        |region, _, span| {
            let call = AllocateCall {
                options: sys::ZX_VM_SPECIFIC,
                offset: span.offset(),
                size: span.pages * P,
                ..AllocateCall::one_page(region)
            };
            call.make().map(drop)
        },
    )
}

/// What a call that leaves the place to the kernel must answer, for `pages` pages below page `limit`.
fn verdict_below(picture: &Picture, limit: usize, pages: usize) -> Result<(), Status> {
    if pages == 0 || limit > PAGES || pages > limit {
        return Err(Status::INVALID_ARGS);
    }
    let fits = |first: usize| picture.cells(&(first..first + pages)).all(Cell::is_hole);
    if (0..=limit - pages).any(fits) {
        Ok(())
    } else {
        Err(Status::NO_RESOURCES)
    }
}

fn map_below_every_limit() -> Outcome {
    let vmo = vmo_of(PAGES)?;
    for text in PICTURES {
        let picture = Picture::parse(text);
        for limit in 0..=PAGES + 1 {
            for pages in 0..=PAGES + 1 {
                let scene = Scene::new(&picture)?;
                let span = Span {
                    first: limit as isize,
                    pages,
                };
                let call = MapCall {
                    vmo_offset: 0,
                    ..map_call(&scene.region, &vmo, span, sys::ZX_VM_OFFSET_IS_UPPER_LIMIT)
                };
                let answer = call.make();
                let verdict = verdict_below(&picture, limit, pages);
                check_placed(&scene.region, answer, verdict, limit - pages.min(limit))?;
                scene.check_neighbours()?;
            }
        }
    }
    Ok(())
}

/// Fails unless the answer is as expected, and the place not above page `last`.
fn check_placed(
    region: &Region,
    answer: Result<usize, Status>,
    verdict: Result<(), Status>,
    last: usize,
) -> Result<(), Failure> {
    check_eq(answer.map(drop), verdict)?;
    match answer {
        Ok(address) if !(region.at(0)..=region.at(last)).contains(&address) => fail(format!(
            "{address:#x} is not in the range that was asked for"
        )),
        _ => Ok(()),
    }
}

fn allocate_anywhere_in_what_is_left() -> Outcome {
    for text in PICTURES {
        let picture = Picture::parse(text);
        for pages in 0..=PAGES + 1 {
            let scene = Scene::new(&picture)?;
            let call = AllocateCall {
                size: pages * P,
                ..AllocateCall::one_page(&scene.region)
            };
            let answer = call.make().map(|(_, address)| address);
            let verdict = verdict_below(&picture, PAGES, pages);
            check_placed(&scene.region, answer, verdict, PAGES - pages.min(PAGES))?;
            scene.check_neighbours()?;
        }
    }
    Ok(())
}
