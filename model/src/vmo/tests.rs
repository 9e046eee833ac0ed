//! The model by itself, against the examples of `spec/vmo.md`.

use syscall::{Rights, Status, VmOptions, VmoChildOptions, VmoOptions};

use super::*;
use crate::PAGE;

const P: u64 = PAGE as u64;

fn all(vmo: usize) -> Handle {
    Handle {
        vmo,
        rights: Rights::ALL,
    }
}

fn bytes(vmo: usize, first: u64, pages: u64) -> Bytes {
    Bytes {
        vmo: all(vmo),
        offset: first * P,
        length: pages * P,
    }
}

/// Takes steps that succeed.
fn take(model: &mut Families, steps: &[Step]) {
    for step in steps {
        assert_eq!(
            model
                .judge(step, &Ok(Answer::Done))
                .map_err(|wrong| wrong.0),
            Ok(()),
            "{step:?}"
        );
    }
}

/// A VMO of `pages` pages, number 0, all of which are written.
fn parent(pages: u64) -> Families {
    let mut model = Families::new();
    let (size, options) = (pages * P, VmoOptions::RESIZABLE);
    let write = Step::Write(bytes(0, 0, pages), 1);
    take(&mut model, &[Step::Create { size, options }, write]);
    model
}

fn snapshot(parent: usize, pages: u64) -> Step {
    child(parent, VmoChildOptions::SNAPSHOT, pages)
}

fn child(parent: usize, options: VmoChildOptions, pages: u64) -> Step {
    Step::CreateChild(Child {
        parent: all(parent),
        options,
        offset: 0,
        size: pages * P,
    })
}

fn facts(model: &Families, vmo: usize) -> Facts {
    model.facts(vmo, &model.sharers())
}

/// Committed, private and scaled bytes, in thirds of pages.
fn thirds(model: &Families, vmo: usize) -> [u64; 3] {
    let memory = facts(model, vmo).memory;
    let scaled = memory.scaled + u64::from(memory.fraction > 0);
    [memory.committed, memory.private, scaled].map(|bytes| bytes * 3 / P)
}

#[test]
fn pages_are_divided_by_those_who_see_them() {
    let mut model = parent(2);
    assert_eq!(thirds(&model, 0), [6, 6, 6]);
    take(&mut model, &[snapshot(0, 2), snapshot(1, 2)]);
    for vmo in 0..3 {
        assert_eq!(thirds(&model, vmo), [6, 0, 2]);
    }
    assert_eq!(model.sharers().frame_count(), 2);
    // The writer has its own page; the others share the old one by two.
    take(&mut model, &[Step::Write(bytes(1, 0, 1), 7)]);
    assert_eq!(thirds(&model, 1), [6, 3, 4]);
    assert_eq!(facts(&model, 0).memory.scaled, P / 2 + 1365);
    assert_eq!(model.sharers().frame_count(), 3);
    take(&mut model, &[Step::Close(0), Step::Close(1)]);
    assert_eq!(thirds(&model, 2), [6, 6, 6]);
    assert_eq!(model.sharers().frame_count(), 2);
}

#[test]
fn a_snapshot_keeps_what_it_saw() {
    let mut model = parent(2);
    let before = model.bytes(0, 0..2 * P);
    take(
        &mut model,
        &[
            snapshot(0, 3),
            Step::Write(bytes(0, 0, 1), 9),
            Step::Operate(RangeOp::Zero, bytes(0, 1, 1)),
        ],
    );
    assert_eq!(model.bytes(1, 0..2 * P), before);
    assert_eq!(model.bytes(1, 2 * P..3 * P), [0; PAGE]);
    assert_eq!(model.bytes(0, P..2 * P), [0; PAGE]);
    assert_eq!(model.present(0).collect::<Vec<_>>(), [0]);
}

#[test]
fn grandchildren_become_children() {
    let mut model = parent(1);
    take(
        &mut model,
        &[snapshot(0, 1), snapshot(1, 1), snapshot(1, 1)],
    );
    assert_eq!(facts(&model, 0).children, 1);
    assert_eq!(facts(&model, 2).parent, Some(1));
    take(&mut model, &[Step::Close(1)]);
    assert_eq!(facts(&model, 0).children, 2);
    assert_eq!(facts(&model, 2).parent, None);
    take(&mut model, &[Step::Close(2), Step::Close(3)]);
    assert_eq!(facts(&model, 0).children, 0);
}

#[test]
fn a_mapping_keeps_a_child_alive() {
    let mut model = parent(1);
    let place = Place {
        window: 0,
        first: 3,
        count: 1,
    };
    let map = Step::Map(Mapping {
        vmo: all(1),
        options: VmOptions::PERM_READ | VmOptions::SPECIFIC,
        offset: 0,
        place,
    });
    take(&mut model, &[snapshot(0, 1), map, Step::Close(1)]);
    assert_eq!(facts(&model, 0).children, 1);
    take(&mut model, &[Step::Unmap(place)]);
    assert_eq!(facts(&model, 0).children, 0);
    assert!(!model.is_alive(1));
}

#[test]
fn slices_and_references_have_no_pages_of_their_own() {
    let mut model = parent(2);
    let reference = VmoChildOptions::REFERENCE | VmoChildOptions::RESIZABLE;
    take(&mut model, &[child(0, reference, 0)]);
    assert_eq!(facts(&model, 1).memory, Memory::default());
    assert_eq!(model.size(1), 2 * P);
    let slice = child(0, VmoChildOptions::SLICE, 1);
    let refused = model.judge(&slice, &Err(Status::NOT_SUPPORTED));
    assert!(refused.is_ok(), "a resizable VMO has no slices");
    take(&mut model, &[Step::Resize(all(1), P), Step::Close(0)]);
    assert_eq!(model.size(1), P);
    // The pages stay as long as the reference.
    assert!(model.is_alive(0));
    take(&mut model, &[Step::Close(1)]);
    assert!(!model.is_alive(0));
    assert_eq!(model.sharers().frame_count(), 0);
}

#[test]
fn a_slice_of_a_slice_shows_the_pages_of_the_first() {
    let mut model = Families::new();
    let create = Step::Create {
        size: 8 * P,
        options: VmoOptions::empty(),
    };
    let slice = |parent, offset, size| {
        Step::CreateChild(Child {
            parent: all(parent),
            options: VmoChildOptions::SLICE,
            offset: offset * P,
            size: size * P,
        })
    };
    take(
        &mut model,
        &[
            create,
            slice(0, 2, 4),
            slice(1, 1, 2),
            Step::Write(bytes(2, 1, 1), 5),
        ],
    );
    assert_eq!(model.present(0).collect::<Vec<_>>(), [4]);
    assert_eq!(model.bytes(0, 4 * P..5 * P), pattern(5, P));
}

#[test]
fn pages_that_move_are_gone_where_they_were() {
    let mut model = parent(3);
    let before = model.bytes(0, 0..3 * P);
    let transfer = Step::Transfer(Transfer {
        to: all(0),
        to_offset: P,
        length: 2 * P,
        from: all(0),
        from_offset: 0,
    });
    take(&mut model, &[snapshot(0, 3), transfer]);
    assert_eq!(model.bytes(0, 0..P), [0; PAGE]);
    assert_eq!(model.bytes(0, P..3 * P), before[..2 * PAGE]);
    assert_eq!(model.bytes(1, 0..3 * P), before);
    assert_eq!(facts(&model, 0).memory.private, 2 * P);
}

#[test]
fn wrong_answers_are_noticed() {
    let mut model = parent(1);
    let read = Step::Read(bytes(0, 0, 1));
    let wrong = model.judge(&read, &Ok(Answer::Bytes(vec![0; PAGE])));
    assert_eq!(
        wrong.map_err(|wrong| wrong.0),
        Err("byte 0: expected Some(1), got Some(0)".into())
    );
    assert!(model.judge(&read, &Err(Status::BAD_STATE)).is_err());
    let right = facts(&model, 0);
    let size = right.size + P;
    for (said, is_right) in [(right, true), (Facts { size, ..right }, false)] {
        let said = [(0, said)].into_iter();
        assert_eq!(model.compare(said, &model.sharers()).is_ok(), is_right);
    }
}

#[test]
fn random_steps_make_families() {
    let (mut largest, mut deepest) = (0, 0);
    for seed in 0..20 {
        let mut model = Families::new();
        let mut generator = Generator::new(seed);
        for _ in 0..400 {
            let step = generator.step(&model);
            let mut after = model.clone();
            // Whatever is right is the answer.
            let answer = after.take(&step);
            assert!(model.judge(&step, &answer).is_ok());
            let depth = |vmo: usize| {
                let above =
                    core::iter::successors(Some(vmo), |vmo: &usize| model.vmos[*vmo].parent);
                above.count()
            };
            deepest = deepest.max(model.open().map(depth).max().unwrap_or(0));
            largest = largest.max(model.open().count());
        }
    }
    assert!(largest >= 8, "at most {largest} VMOs at the same time");
    assert!(deepest >= 4, "at most {deepest} generations");
}
