/* api.js - the page of the REST interface, made from the document that this server gives of itself. */

import { curlLines, TOKEN } from './api/curl.js';
import { fieldsOf, OpenApi, typeOf } from './api/openapi.js';
import { getJson, Problem } from './lib/api.js';
import { element, make, say, scrollToNamed, setText } from './lib/dom.js';
import { prepareKeys } from './lib/keys.js';
import './lib/page.js';

/** @typedef {import('./api/openapi.js').Operation} Operation */
/** @typedef {import('./api/openapi.js').Schema} Schema */
/** @typedef {{origin: string, values: import('./api/curl.js').Values, token: boolean}} Server as lines name it */

/** Text in which `this` is code. @param {string} text @returns {(Node | string)[]} */
const prose = (text) => text.split('`').map((part, i) => (i % 2 ? make('code', {}, part) : part));

/** Text whose lines apart are paragraphs. @param {string} text */
const paragraphs = (text) =>
    text
        .split(/\n\s*\n/)
        .filter(Boolean)
        .map((part) => make('p', {}, ...prose(part)));

/** A type, with links to the schemas that it names. @param {Schema | undefined} schema */
const typeNodes = (schema) =>
    typeOf(schema).map((part) =>
        typeof part === 'string' ? part : make('a', { href: `#schema-${part.name}` }, part.name),
    );

/** @param {string} caption @param {string[]} head @param {HTMLElement[]} rows */
const tableOf = (caption, head, rows) =>
    make(
        'div',
        { class: 'reference-box', tabindex: '0', role: 'region', 'aria-label': caption },
        make(
            'table',
            { class: 'reference' },
            make('caption', { class: 'hidden-text' }, caption),
            make('thead', {}, make('tr', {}, ...head.map((text) => make('th', { scope: 'col' }, text)))),
            make('tbody', {}, ...rows),
        ),
    );

/** @param {string} name @param {(Node | string)[]} type @param {(Node | string)[]} text @param {boolean} required */
const rowOf = (name, type, text, required) =>
    make(
        'tr',
        {},
        make(
            'th',
            { scope: 'row' },
            make('code', {}, name),
            required ? make('span', { class: 'required' }, ' required') : '',
        ),
        make('td', {}, ...type),
        make('td', {}, ...text),
    );

/** What there is to say of a field: its description, default and unit. @param {Schema} schema */
function textOf(schema) {
    const { description = '', default: initial } = schema;
    const more = [];
    if (schema['x-unit']) more.push(`in ${schema['x-unit']}`);
    if (initial !== undefined)
        more.push(`default \`${typeof initial === 'string' ? initial : JSON.stringify(initial)}\``);
    if (schema['x-live']) more.push('may change while it trains');
    return prose([more.length ? description.replace(/\.$/, '') : description, ...more].filter(Boolean).join('; '));
}

/** @param {string} caption @param {Schema} schema */
const fieldTable = (caption, schema) =>
    tableOf(
        caption,
        ['Field', 'Type', 'Meaning'],
        fieldsOf(schema).map(({ name, required, schema: field }) =>
            rowOf(name, typeNodes(field), textOf(field), required),
        ),
    );

/* --- operations --- */

/** A line to copy. @param {{line: string, what: string}} curl @param {string} of */
function curlNode({ line, what }, of) {
    const copy = make('button', { type: 'button', class: 'button small' }, 'Copy');
    copy.setAttribute('aria-label', `Copy the curl line: ${of}${what ? `, ${what.toLowerCase()}` : ''}`);
    copy.addEventListener('click', async () => {
        try {
            await navigator.clipboard.writeText(line);
            setText(copy, 'Copied');
            setText(element('announce'), 'Copied');
        } catch {
            /* No clipboard here: the line is marked, for the person's own keys. */
            getSelection()?.selectAllChildren(code);
        }
        copy.addEventListener('blur', () => setText(copy, 'Copy'), { once: true });
    });
    const code = make('code', { class: 'curl' }, line);
    return make(
        'div',
        {},
        what ? make('p', { class: 'note' }, what) : '',
        make('div', { class: 'curl-box' }, code, copy),
    );
}

/** Lines to copy; where there is no token nobody can sign in. @param {OpenApi} api @param {Operation} operation
 * @param {Server} server @returns {HTMLElement[]} */
function linesOf(api, operation, server) {
    if (operation.id === 'signIn' && !server.token)
        return [make('p', { class: 'note' }, 'This server was started without a token: nobody has to sign in.')];
    return curlLines(api, operation, server).map((curl) => curlNode(curl, operation.summary));
}

/** @param {OpenApi} api @param {Operation} operation */
function parametersOf(api, { id, parameters }) {
    if (!parameters.length) return '';
    const place = (/** @type {string} */ where) => (where === 'query' ? '' : `In the ${where}. `);
    const rows = parameters.map((parameter) => {
        const schema = { ...api.resolve(parameter.schema), description: undefined };
        const text = [place(parameter.in), parameter.description ?? ''].join('');
        const initial = schema.default === undefined ? '' : ` Default \`${schema.default}\`.`;
        return rowOf(parameter.name, typeNodes(parameter.schema), prose(text + initial), !!parameter.required);
    });
    return tableOf(`Parameters of ${id}`, ['Parameter', 'Type', 'Meaning'], rows);
}

/** @param {OpenApi} api @param {Operation} operation */
function bodyOf(api, { id, body }) {
    if (!body) return '';
    const schema = api.resolve(body.schema);
    const head = make('h4', {}, body.required ? 'Body' : 'Body, where there is one');
    return make(
        'div',
        {},
        head,
        schema.description ? make('p', {}, ...prose(schema.description)) : '',
        fieldTable(`Body of ${id}`, schema),
    );
}

/** @param {Operation} operation */
function answersOf({ id, answers }) {
    const rows = answers.map(({ status, description, types }) => {
        const type = types.flatMap(({ type: media, schema }, i) => [
            ...(i ? [make('br')] : []),
            make('code', {}, media),
            ...(schema ? [' ', ...typeNodes(schema)] : []),
        ]);
        return rowOf(
            status === 'default' ? 'others' : status,
            type.length ? type : ['–'],
            prose(description),
            false,
        );
    });
    return make(
        'details',
        {},
        make(
            'summary',
            {},
            `Answers: ${answers
                .map(({ status }) => status)
                .filter((status) => status !== 'default')
                .join(', ')}`,
        ),
        tableOf(`Answers of ${id}`, ['Status', 'Content', 'Meaning'], rows),
    );
}

/** @param {OpenApi} api @param {Operation} operation @param {Server} server */
function operationNode(api, operation, server) {
    const { id, method, path, summary, description } = operation;
    const title = make(
        'h3',
        { id: `${id}-title` },
        make('span', { class: 'method', 'data-method': method }, method),
        ' ',
        make('a', { href: `#${id}` }, path),
    );
    return make(
        'section',
        { class: 'card operation', id, 'aria-labelledby': `${id}-title`, tabindex: '-1' },
        title,
        make('p', { class: 'summary' }, ...prose(summary.replace(/^./, (first) => first.toUpperCase()) + '.')),
        ...paragraphs(description),
        ...linesOf(api, operation, server),
        parametersOf(api, operation),
        bodyOf(api, operation),
        answersOf(operation),
    );
}

/* --- the page --- */

/** @param {string} name @param {Schema} schema */
function schemaNode(name, schema) {
    const fields = Object.keys(schema.properties ?? {}).length;
    const type = fields ? [] : [make('p', {}, ...typeNodes({ ...schema, description: undefined }))];
    return make(
        'section',
        {
            class: 'card operation',
            id: `schema-${name}`,
            'aria-labelledby': `schema-${name}-title`,
            tabindex: '-1',
        },
        make('h3', { id: `schema-${name}-title` }, name),
        schema.description ? make('p', {}, ...prose(schema.description)) : '',
        ...type,
        fields ? fieldTable(`Fields of ${name}`, schema) : '',
    );
}

/** @param {string} id @param {string} title @param {(Node | string)[]} about @param {HTMLElement[]} parts */
const groupNode = (id, title, about, parts) =>
    make(
        'section',
        { class: 'group', id, 'aria-labelledby': `${id}-title` },
        make('h2', { id: `${id}-title` }, title),
        make('p', { class: 'note' }, ...about),
        ...parts,
    );

/** @param {OpenApi} api @param {Server} server */
function show(api, server) {
    const { operations, tags } = api;
    const groups = tags.map(({ name, description }) => ({
        name,
        description,
        operations: operations.filter(({ tag }) => tag === name),
    }));
    const others = operations.filter(({ tag }) => !tags.some(({ name }) => name === tag));
    if (others.length) groups.push({ name: 'others', description: '', operations: others });

    element('about').replaceChildren(...paragraphs(api.json.info.description));
    element('operations').replaceChildren(
        ...groups.map((group) =>
            groupNode(
                `tag-${group.name}`,
                group.name.replace(/^./, (first) => first.toUpperCase()),
                prose(group.description),
                group.operations.map((operation) => operationNode(api, operation, server)),
            ),
        ),
        groupNode(
            'schemas',
            'Schemas',
            ['What bodies and answers are made of.'],
            api.schemas.map(([name, schema]) => schemaNode(name, schema)),
        ),
    );
    element('contents').replaceChildren(...groups.map(contentsOf), schemaContents(api));
}

/** @param {string} text @param {(Node | string)[]} items */
const contentsGroup = (text, items) =>
    make('div', {}, make('h3', {}, text), make('ul', {}, ...items.map((item) => make('li', {}, item))));

/** @param {{name: string, operations: Operation[]}} group */
const contentsOf = ({ name, operations }) =>
    contentsGroup(
        name,
        operations.map(({ id, method, path, summary }) =>
            make(
                'a',
                { href: `#${id}`, title: summary, 'data-find': `${method} ${path} ${summary}`.toLowerCase() },
                make('span', { class: 'method', 'data-method': method }, method),
                make('span', {}, path.replace('/api/v1', '')),
            ),
        ),
    );

/** @param {OpenApi} api */
const schemaContents = (api) =>
    contentsGroup(
        'schemas',
        api.schemas.map(([name]) =>
            make('a', { href: `#schema-${name}`, 'data-find': name.toLowerCase() }, make('span', {}, name)),
        ),
    );

/** Only what has these words stays, in the contents and on the page. @param {string} text */
function find(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll('#contents a'))) {
        const fits = words.every((word) => link.dataset.find?.includes(word));
        found += fits ? 1 : 0;
        /** @type {HTMLElement} */ (link.parentElement).hidden = !fits;
        element(link.hash.slice(1)).hidden = !fits;
    }
    for (const group of /** @type {NodeListOf<HTMLElement>} */ (
        document.querySelectorAll('.group, #contents > div')
    ))
        group.hidden = ![...group.querySelectorAll('.operation, li')].some(
            (part) => !(/** @type {HTMLElement} */ (part).hidden),
        );
    say(element('none'), found ? null : `Nothing here is called “${text}”.`);
}

/** What lines name is on this server: its newest runs, and whether it wants a token. @returns {Promise<Server>} */
async function serverOf() {
    const [{ runs }, { required }] = await Promise.all([getJson('/api/v1/runs?limit=3'), getJson('/api/v1/login')]);
    const ids = runs.map((/** @type {import('./lib/api.js').Run} */ run) => run.id).reverse();
    return { origin: location.origin, values: ids.length ? { runs: ids.join() } : {}, token: required };
}

/** Where the document's example of a data set is not here, lines name one that is. @param {OpenApi} api
 * @param {Server} server */
async function useDataset(api, server) {
    const { datasets } = await getJson('/api/v1/datasets');
    const present = datasets.filter((/** @type {any} */ dataset) => dataset.present);
    const { example } = api.resolve({ $ref: '#/components/parameters/name' }) ?? {};
    if (!present.length || present.some((/** @type {any} */ { name }) => name === example)) return;
    show(api, { ...server, values: { ...server.values, name: present[0].name } });
}

async function prepare() {
    const input = /** @type {HTMLInputElement} */ (element('find'));
    setText(element('curl-line'), `curl ${location.origin}/api/v1/openapi.json`);
    setText(element('token-name'), TOKEN);
    input.addEventListener('input', () => find(input.value));
    prepareKeys({ '/': () => input.focus() });
    try {
        const [json, server] = await Promise.all([getJson('/api/v1/openapi.json'), serverOf()]);
        const api = new OpenApi(json);
        show(api, server);
        element('token-note').hidden = !server.token;
        element('wait').hidden = true;
        await useDataset(api, server);
        scrollToNamed();
    } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        element('wait').hidden = true;
        say(element('problem'), `${problem.message} Load this page again when it does.`);
    }
}

prepare();
