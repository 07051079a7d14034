/* paint.js - when what is drawn: at most once a frame, only what has changed, and only what can be seen.
 *
 * A section says what it is drawn with (`changed`); it is drawn in the next frame, or once it is scrolled into view, or
 * once its window is looked at. */

const NEAR = '240px'; /* a section this far out of sight is drawn already: it is there when it comes */

export class Painter {
    /** @type {Map<Element, {paint: () => void, seen: boolean, changed: boolean}>} */ #sections = new Map();
    #frame = 0;

    constructor() {
        this.watcher = new IntersectionObserver((entries) => this.#scrolled(entries), { rootMargin: NEAR });
        document.addEventListener('visibilitychange', () => this.#ask());
    }

    /**
     * A section of the page.
     * @param {Element} node
     * @param {() => void} paint
     * @returns {() => void} to be called when what it shows has changed
     */
    add(node, paint) {
        const section = { paint, seen: false, changed: true };
        this.#sections.set(node, section);
        this.watcher.observe(node);
        return () => {
            section.changed = true;
            this.#ask();
        };
    }

    /** The section is gone. @param {Element} node */
    remove(node) {
        this.#sections.delete(node);
        this.watcher.unobserve(node);
    }

    /** Whether somebody could see this section now. @param {Element} node */
    isSeen(node) {
        return !document.hidden && !!this.#sections.get(node)?.seen;
    }

    /** Everything may look different. */
    all() {
        for (const section of this.#sections.values()) section.changed = true;
        this.#ask();
    }

    /** @param {IntersectionObserverEntry[]} entries */
    #scrolled(entries) {
        for (const { target, isIntersecting } of entries) {
            const section = this.#sections.get(target);
            if (section) section.seen = isIntersecting;
        }
        this.#ask();
    }

    #ask() {
        if (this.#frame || document.hidden) return;
        if ([...this.#sections.values()].some(({ seen, changed }) => seen && changed))
            this.#frame = requestAnimationFrame(() => this.#draw());
    }

    #draw() {
        this.#frame = 0;
        for (const section of this.#sections.values()) {
            if (!section.seen || !section.changed) continue;
            section.changed = false;
            section.paint();
        }
    }
}

/**
 * A painter that does nothing where nothing has changed since it painted last.
 * @template {any[]} T
 * @param {(...what: T) => void} paint
 * @returns {{(...what: T): void, forget(): void}} forget: the next call paints in any case
 */
export function painted(paint) {
    /** @type {T | null} */
    let last = null;
    const call = (/** @type {T} */ ...what) => {
        const before = last;
        if (before && before.length === what.length && what.every((each, i) => Object.is(each, before[i]))) return;
        last = what;
        paint(...what);
    };
    return Object.assign(call, { forget: () => void (last = null) });
}
