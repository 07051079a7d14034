/* login.js - the sign-in page. It can be had without the token, so it imports nothing that cannot. */

/** @template {HTMLElement} [T=HTMLElement] @param {string} id @returns {T} */
const element = (id) => /** @type {any} */ (document.getElementById(id));

const form = element('form');
const token = /** @type {HTMLInputElement} */ (element('token'));
const enter = /** @type {HTMLButtonElement} */ (element('enter'));
const error = element('error');

/** Where the visitor was led from: a path of this very origin, or the first page. */
function wayBack() {
    const wanted = new URLSearchParams(location.search).get('to') ?? '/';
    try {
        const url = new URL(wanted, location.origin);
        return url.origin === location.origin ? url.pathname + url.search + url.hash : '/';
    } catch {
        return '/';
    }
}

/** @param {string} [sentence] none: hide it */
function complain(sentence) {
    error.textContent = sentence ?? '';
    error.hidden = !sentence;
    if (sentence) token.setAttribute('aria-invalid', 'true');
    else token.removeAttribute('aria-invalid');
}

/** The server's own sentence. @param {Response} response */
async function sentenceOf(response) {
    try {
        return (await response.json()).detail;
    } catch {
        return `The server answered ${response.status}.`;
    }
}

/** @param {string} path @param {unknown} [body] */
function post(path, body) {
    const headers = body === undefined ? undefined : { 'Content-Type': 'application/json' };
    return fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function signIn() {
    complain();
    enter.disabled = true;
    try {
        const response = await post('/api/v1/login', { token: token.value.trim() });
        if (response.ok) {
            location.replace(wayBack());
            return;
        }
        complain(await sentenceOf(response));
        token.select();
    } catch {
        complain('The Goodness server does not answer.');
    }
    enter.disabled = false;
}

async function signOut() {
    await post('/api/v1/logout');
    location.replace('/login.html');
}

/** Ask for the token, or say that it need not be given. */
async function show() {
    const response = await fetch('/api/v1/login');
    const { required, signed_in: signedIn } = await response.json();
    form.hidden = !required || signedIn;
    element('inside').hidden = !form.hidden;
    element('leave').hidden = !signedIn;
    element('onward').setAttribute('href', wayBack());
    element('inside-text').textContent = signedIn
        ? 'You are signed in.'
        : 'This daemon was started without a token: nobody has to sign in.';
    if (!form.hidden) token.focus();
}

form.addEventListener('submit', (event) => {
    event.preventDefault();
    signIn();
});
element('leave').addEventListener('click', signOut);
show();
