/** The pure parts of the site's build: navigation, links and versions. */
import t from 'tap';
import { anchorOf, siteLink } from '../../tools/site/links.ts';
import { missingFrom, navigationOf } from '../../tools/site/navigation.ts';
import { versionsOf } from '../../tools/site/versions.ts';

const index = `# Documentation

Start with [install](guides/install.md).

## Guides: do this

**Begin**

| Page | When |
|---|---|
| [Install](guides/install.md) | you want it |
| [Somewhere else](https://example.com/other.md) | never |

**Operation**

[runbook](guides/../guides/runbook.md) · [schema](reference/policy.schema.json)

## Reference: every option

[policy file](reference/policy.md) ·
[glossary](glossary.md)
`;

t.test('the navigation has the links below each heading, in order', (tt) => {
  const navigation = navigationOf(index);
  tt.strictSame(navigation, [
    { title: 'Begin', pages: [{ title: 'Install', path: 'guides/install.md' }] },
    { title: 'Operation', pages: [{ title: 'Runbook', path: 'guides/runbook.md' }] },
    {
      title: 'Reference',
      pages: [
        { title: 'Policy file', path: 'reference/policy.md' },
        { title: 'Glossary', path: 'glossary.md' },
      ],
    },
  ]);
  tt.strictSame(missingFrom(navigation, ['index.md', 'glossary.md', 'guides/new.md']), [
    'docs/guides/new.md is not in the navigation: link it below a heading of docs/index.md',
  ]);
  tt.end();
});

t.test('links', (tt) => {
  const repository = { homepage: 'https://forge.example/a/b', tag: 'v1.2.3', isFolder: (path: string) => path === 'charts/transship/ci' };
  const table: [link: string, on: string][] = [
    ['install.md', 'install.html'],
    ['../reference/policy.md#rules', '../reference/policy.html#rules'],
    ['../reference/policy.schema.json', '../reference/policy.schema.json'],
    ['../images/a.md.png', '../images/a.md.png'],
    ['#here', '#here'],
    ['https://example.com/x.md', 'https://example.com/x.md'],
    ['mailto:a@example.com', 'mailto:a@example.com'],
    ['../../examples/sample.yaml', 'https://forge.example/a/b/blob/v1.2.3/examples/sample.yaml'],
    ['../../charts/transship/ci', 'https://forge.example/a/b/tree/v1.2.3/charts/transship/ci'],
    ['../../charts/transship/ci/', 'https://forge.example/a/b/tree/v1.2.3/charts/transship/ci'],
    ['../../README.md#install-it', 'https://forge.example/a/b/blob/v1.2.3/README.md#install-it'],
  ];
  for (const [link, on] of table) tt.equal(siteLink('docs/guides/page.md', link, repository), on, link);
  tt.end();
});

t.test('anchors are those of GitHub', (tt) => {
  const table: [heading: string, anchor: string][] = [
    ['1. The image', '1-the-image'],
    ['GKE, private cluster', 'gke-private-cluster'],
    ['certManager', 'certmanager'],
    ['match.images', 'matchimages'],
    ['Größe of a_b-c', 'größe-of-a_b-c'],
  ];
  for (const [heading, anchor] of table) tt.equal(anchorOf(heading), anchor);
  tt.end();
});

t.test('versions: this one, and those released before it', (tt) => {
  const changelog =
    '# Changelog\n\n## 1.1.0, not released yet\n\n- A.\n\n## 1.0.1, 2026-11-02\n\n## 1.0.0, 2026-10-01\n\n### 9.9.9, 2026-10-01\n';
  tt.strictSame(versionsOf(changelog, '1.1.0'), ['1.1.0', '1.0.1', '1.0.0']);
  tt.strictSame(versionsOf(changelog.replace('not released yet', '2026-12-01'), '1.1.0'), ['1.1.0', '1.0.1', '1.0.0']);
  tt.strictSame(versionsOf(changelog, '1.0.0'), ['1.0.1', '1.0.0'], 'an older one is not the first');
  tt.end();
});
