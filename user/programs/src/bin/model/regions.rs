//! Random calls on regions, against a flat map of pages.

use model::{Generator, Mismatch, Model, Shape};

use crate::report::{Happened, Progress, unexpected};
use crate::window::Window;

/// After so many steps all bytes are compared.
const LOOK_EVERY: usize = 25;

/// Takes the steps of `seed` on a fresh window.
///
/// # Errors
/// The first answer, record or byte that is not that of the model.
pub fn round(seed: u64, count: usize, progress: &mut Progress) -> Result<(), Mismatch> {
    let shape = Shape::of_seed(seed);
    let mut generator = Generator::new(seed, shape);
    let mut window = Window::new(shape).map_err(unexpected)?;
    let mut model = Model::new(window.base(), shape);
    for number in 0..count {
        let step = generator.step(&model);
        progress.note(number, Happened::ToRegions(step));
        let answer = window.perform(&step, &model);
        model.judge(&step, answer)?;
        model.compare(&window.records().map_err(unexpected)?)?;
        if number.is_multiple_of(LOOK_EVERY) {
            window.compare_bytes(&model)?;
        }
    }
    window.compare_bytes(&model)
}
