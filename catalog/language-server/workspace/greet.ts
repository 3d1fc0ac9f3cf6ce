/** Something to ask about until your own project is here. */
export function greet(name: string): string {
  return `Hello, ${name}.`;
}
