//! `bin/pictures`: the demo's pages in every state, wide and narrow, light, dark and in forced
//! colours. What axe finds, or what is wider than its window, is told at the end.

mod demo;
mod states;

use crate::support::{NARROW, Portal, Scheme, Visitor, WIDE};
use demo::Demo;

const LOOKS: [(Scheme, u32); 5] = [
    (Scheme::Light, WIDE),
    (Scheme::Dark, WIDE),
    (Scheme::Forced, WIDE),
    (Scheme::Light, NARROW),
    (Scheme::Dark, NARROW),
];

/// Somebody who takes pictures of what they see, as it stands.
pub struct Photographer {
    pub visitor: Visitor,
    wrong: Vec<String>,
}

impl Photographer {
    async fn at(home: &str) -> Self {
        Self { visitor: Visitor::at(home).await, wrong: Vec::new() }
    }

    /// A page by its address, and its HTML as it was sent.
    pub async fn page(&mut self, path: &str, name: &str) {
        self.visitor.visit(path).await;
        self.visitor.keep_source(name).await;
        self.shot(name).await;
    }

    /// What is on the screen now: an open dialog, a refused form.
    pub async fn shot(&mut self, name: &str) {
        for (scheme, width) in LOOKS {
            self.visitor.in_scheme(scheme).await;
            self.visitor.whole_at(width).await;
            let look = format!("{name}-{}-{width}", scheme.name());
            self.visitor.picture(&look).await;
            // What is wrong in the dark is wrong wide and narrow.
            if scheme == Scheme::Light || (scheme, width) == (Scheme::Dark, WIDE) {
                let complaints = self.visitor.complaints_of_axe().await;
                self.wrong.extend(complaints.iter().map(|words| format!("{look}: {words}")));
            }
            let excess = self.visitor.sideways().await;
            if excess > 0 {
                self.wrong.push(format!("{look} is {excess} px wider than its window"));
            }
        }
        self.visitor.in_scheme(Scheme::Light).await;
        self.visitor.whole_at(WIDE).await;
    }
}

#[ignore = "takes many minutes: bin/pictures"]
#[tokio::test(flavor = "multi_thread")]
async fn pictures_of_every_page_in_every_state() {
    let portal = Portal::start().await;
    let mut photographer = Photographer::at(&portal.url).await;
    states::before_anything(&portal, &mut photographer).await;
    let mut wrong = photographer.wrong;

    let demo = Demo::start();
    let mut photographer = Photographer::at(&demo.url).await;
    states::of_strangers(&mut photographer).await;
    demo.sign_in(&photographer.visitor).await;
    states::of_the_demo(&demo, &mut photographer).await;
    wrong.extend(photographer.wrong);
    assert!(wrong.is_empty(), "{wrong:#?}");
}
