// Asks a script of PHP: gives it a line of JSON for each question, and takes one for each answer.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Answers to all questions, in their order. */
export async function ask<Answer>(php: string, script: string, questions: readonly unknown[]): Promise<Answer[]> {
  const child = spawn(php, [fileURLToPath(new URL(script, import.meta.url))], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(questions.map((question) => `${JSON.stringify(question)}\n`).join(''))
  let output = ''
  for await (const data of child.stdout.setEncoding('utf8')) output += data
  const answers = output.split('\n').slice(0, -1)
  if (answers.length !== questions.length) throw new Error(`${script} gave ${answers.length} answers to ${questions.length} questions`)
  return answers.map((answer) => JSON.parse(answer) as Answer)
}
