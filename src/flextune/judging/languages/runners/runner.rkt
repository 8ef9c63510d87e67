;; Runs one Racket program as the main module and tells, over descriptor 4, how far it came.
;;
;; In the smallest of Racket's languages, since this file is compiled for every program.
(module runner '#%kernel
  (define-values (secret)
    (let-values ([(pipe) (open-input-file "/dev/fd/3")])
      (begin0 (read-bytes 32 pipe)
              (close-input-port pipe))))
  (define-values (channel) (open-output-file "/dev/fd/4" 'append))
  (define-values (report)
    (lambda (said)
      (begin (write-bytes said channel)
             (flush-output channel))))
  (report #"S")

  (define-values (path) (string->path (vector-ref (current-command-line-arguments) 0)))
  (current-command-line-arguments (vector))
  (define-values (running) #f)

  ;; Whether an exception ended `body`; it has then been shown.
  (define-values (fails?)
    (lambda (body)
      (call-with-continuation-prompt
       (lambda () (begin (body) #f))
       (default-continuation-prompt-tag)
       (lambda ignored #t))))

  (define-values (fail)
    (lambda (said)
      (begin (report said)
             (exit 1))))

  ;; What `racket FILE` does: the module, and around it what it says on how to run it.
  (define-values (require-part)
    (lambda (name)
      (let-values ([(part) (list 'submod path name)])
        (if (module-declared? part #t)
            (dynamic-require part #f)
            (void)))))

  ;; rackunit shows a failed check and goes on; it counts them in its log, which is there if the program has it.
  (define-values (failed-checks)
    (lambda ()
      (if (module-declared? 'rackunit/log #f)
          (car ((dynamic-require 'rackunit/log 'test-log)))
          0)))

  ;; The program and its language are looked up from here.
  (namespace-require ''#%kernel)
  (if (fails? (lambda () (module-declared? path #t)))
      (fail #"C")
      (report #"R"))
  (define-values (failed)
    (fails? (lambda ()
              (begin (require-part 'configure-runtime)
                     (dynamic-require path #f)
                     (require-part 'main)))))
  (if (> (failed-checks) 0)
      (fail #"A")
      (if failed
          (fail #"E")
          (report secret))))
