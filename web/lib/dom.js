/* dom.js - finding and making elements, with their types checked. */

/**
 * The element with this id; the page is wrong if there is none.
 * @template {Element} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export function element(id) {
    const found = document.getElementById(id);
    if (!found) throw new Error(`the page has no element #${id}`);
    return /** @type {any} */ (found);
}

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | boolean>} [attributes] true: there without a value; false: left out
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (value !== false) made.setAttribute(name, value === true ? '' : value);
    }
    made.append(...children);
    return made;
}

/** Change a text only when it differs: nothing is laid out for nothing. @param {Element} at @param {string} text */
export function setText(at, text) {
    if (at.textContent !== text) at.textContent = text;
}

/** Show a sentence, or hide the element where there is none. @param {HTMLElement} at @param {string | null} text */
export function say(at, text) {
    setText(at, text ?? '');
    at.hidden = !text;
}

/** Say what is wrong with a field's value, or that nothing is. @param {Element} field @param {HTMLElement} at @param {string[]} sentences */
export function complainOf(field, at, sentences) {
    say(at, sentences.join('; '));
    if (sentences.length) field.setAttribute('aria-invalid', 'true');
    else field.removeAttribute('aria-invalid');
}

/** To the place that the address names, which exists, or stays where it is, only now that the page is filled. */
export function scrollToNamed() {
    if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

/** What is wider than the window can be scrolled, and so must be able to have the focus. @param {string} selector */
export function focusWhereScrolled(selector) {
    const watcher = new ResizeObserver((entries) => {
        for (const { target } of entries)
            if (target.scrollWidth > target.clientWidth) target.setAttribute('tabindex', '0');
            else target.removeAttribute('tabindex');
    });
    for (const each of document.querySelectorAll(selector)) watcher.observe(each);
}
